"""Ways back to one's keys: password, recovery code, bringing back, a new start."""
