"""Recovery by the organisation."""
