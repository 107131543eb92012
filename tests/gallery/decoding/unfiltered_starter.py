"""The hostile starter on a system that cannot filter calls."""

import sys

sys.path += sys.argv[1:]

from gallery.decoding import confining
from tests.gallery.decoding import hostile_starter

confining.filters_calls = lambda: False
hostile_starter.main()
