"""The organisation's offline key, and what it recovers."""
