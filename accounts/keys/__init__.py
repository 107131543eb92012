"""People's keys: certified, compared, remembered, verified."""
