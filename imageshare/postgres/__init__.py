"""PostgreSQL as Django's own backend drives it, but for times that are none: see base.py."""
