"""Certifying the names of people already here, and saying how it went."""

from collections.abc import Callable

from accounts.services.people.naming import certify_people_already_here


def certify_names(tell: Callable[[str], None], warn: Callable[[str], None]) -> None:
    """Do it unless it was done before. Raises AuditUnavailable and django.db.Error."""
    done = certify_people_already_here()
    if done is None:
        return
    for refused in done.refused:
        warn(f"Name not certified: {refused}.")
    if done.people:
        tell(f"Certified the names of {done.people} people already here.")
