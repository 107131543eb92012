"""Albums and teams: circles of people who share one key. One member more costs one wrapping,
however many images.

An album holds images; a team is a recipient of images and of albums. What is done with either is
the same act with the same code: where it says album a team is meant as well, and `kind` says which
of the two was asked for, so that nobody reaches one at the other's address.
"""
