"""The mail that brings an invitation's link."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.keys.names import certified_name
from accounts.mail import send, sends_mail
from gallery.day_words import written
from gallery.services.invitations.making import NewInvitation


@sensitive_variables()
def mail_invitation(new: NewInvitation, link: str) -> bool:
    """Send the link to whom the invitation is for; return whether a mail server took it.

    Nothing of a picture, not even how many there are: every server on its way can read it.
    """
    if not (new.details.email and sends_mail()):
        return False
    inviter = certified_name(new.invitation.inviter).in_full
    subject = _("%(inviter)s invites you") % {"inviter": inviter}
    text = _(
        "Hello %(name)s,\n\n%(inviter)s shares something with you. Open this link to make your "
        "account; then you can see it:\n\n%(link)s\n\nThe link works once, until %(ends)s. "
        "Anybody who has it can use it: do not pass it on. If you do not know %(inviter)s, do "
        "nothing.\n"
    )
    facts = {
        "name": new.details.display_name,
        "inviter": inviter,
        "link": link,
    }
    with timezone.override(None):  # the site's: nobody knows where it is read
        ends = written(new.invitation.ends_at, "DATETIME_FORMAT")
        facts["ends"] = f"{ends} ({timezone.get_current_timezone_name()})"
    return send(new.details.email, subject, text % facts)
