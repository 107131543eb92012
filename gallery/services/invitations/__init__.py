"""Invitations that carry a share: made, followed, accepted or claimed, taken back."""
