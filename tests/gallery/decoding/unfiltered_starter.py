"""The hostile starter on a system that cannot filter calls."""

import sys

sys.path += sys.argv[1:]

from gallery.decoding import confining, starter
from tests.gallery.decoding import hostile_starter  # noqa: F401  (takes decoders over)

confining.filters_calls = lambda: False
starter.main()
