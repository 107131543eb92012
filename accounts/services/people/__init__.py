"""Accounts: made, invited, named, overseen."""
