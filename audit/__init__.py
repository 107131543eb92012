"""What happened, when, and by whom: recorded twice, chained, and never changed."""
