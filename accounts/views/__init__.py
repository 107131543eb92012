"""Pages of an account: bind, call, answer. One file for each errand."""
