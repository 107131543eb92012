"""Marking somebody as staff, as an operator does: the row, and the word for it in the trail."""

from accounts.models import User
from accounts.staff_rights import confirm


def mark_as_staff(user: User, *, superuser: bool = False) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=superuser)
    user.refresh_from_db()
    confirm([user])
