"""Pages and bytes of images: bind, call, answer. One file for each errand."""
