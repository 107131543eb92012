"""Keys replaced by new ones: ordered, carried out, for people and for the server."""
