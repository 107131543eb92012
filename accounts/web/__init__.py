"""What belongs to a request: sessions, unlocking, limits, refusals."""
