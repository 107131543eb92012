"""SQLite as Django's own backend drives it, except for reading values: see base.py."""
