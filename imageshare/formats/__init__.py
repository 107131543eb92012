"""Dates and times as each language writes them; 24 hours in all, so that no a.m. is overlooked."""
