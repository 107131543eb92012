"""Ways back to your keys: password, recovery code, bringing back, a new start."""
