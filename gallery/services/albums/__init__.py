"""Albums: sets of images shared as one. Sharing one costs one wrapping, however many images."""
