"""SQLite as Django's own backend drives it, but for what is read: see base.py."""
