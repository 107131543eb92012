"""PostgreSQL as Django's own backend drives it, except for impossible times: see base.py."""
