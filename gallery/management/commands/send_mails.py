from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.mail import sends_mail
from gallery.services.mailing import send_mails


class Command(BaseCommand):
    help = (
        "Send people who have an address one mail about all notices they have not read: ten "
        "minutes or a day after the oldest of them, as each person chose. Run it every five "
        "minutes. Exits with status 1 if a mail could not be sent; that one is tried again after "
        "an hour."
    )

    def handle(self, **options: Any) -> None:
        if not sends_mail():
            raise CommandError("This installation sends no mail. Set EMAIL_URL first.")
        mailed = send_mails()
        self.stdout.write(f"mailed {mailed.sent} people, {mailed.failed} failed")
        if mailed.failed:
            raise SystemExit(1)
