"""What the people of a demonstration do: each act is one that a page could have asked for."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.custody import Keyring
from accounts.keys.recipients import Reader, find_people
from accounts.models import User
from gallery.access import access_to
from gallery.invitation_forms import DAYS_OF_A_LINK
from gallery.invitation_keys import Details
from gallery.models import Grant, Invitation, Rendition
from gallery.releases import record_album, record_opening
from gallery.services import inbox, mailing
from gallery.services.acknowledging import acknowledge_image
from gallery.services.batches import Wishes, upload_all
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.sharing import share_circle
from gallery.services.invitations.making import make_invitation
from gallery.services.invitations.taking_back import take_back
from gallery.services.revoking import revoke
from gallery.services.sharing import share_image
from gallery.services.teams import TEAM
from gallery.services.uploading import Origin, Terms

ALL, VIEW = Grant.Rights.DOWNLOAD.value, Grant.Rights.VIEW.value
FOR_GOOD = Terms(ALL, None)


@dataclass
class Cast:
    """The people with their open keys, and what they made so far. An image is named by its caption,
    or by the title of its album and its place there."""

    keyrings: dict[str, Keyring] = field(default_factory=dict)
    images: dict[str, list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))
    circles: dict[str, uuid.UUID] = field(default_factory=dict)
    painted: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def upload(
        self, owner: str, named: str, caption: str, file_name: str, to: tuple[str, ...] = ()
    ) -> None:
        """Upload the next picture that is painted; into the album, if `named` is one."""
        keyring, people = self.keyrings[owner], self._readers(owner, list(to))
        wishes = Wishes(people, FOR_GOOD, caption, keep_details=False, origin=Origin(None, None))
        file = SimpleUploadedFile(file_name, next(self.painted), "image/jpeg")
        image = upload_all(keyring=keyring, files=[file], wishes=wishes).images[0]
        self.images[named].append(image.pk)
        if album := self.circles.get(named):
            place_image(keyring=keyring, circle_id=album, image_id=image.pk)

    def make_album(self, owner: str, title: str) -> None:
        keyring = self.keyrings[owner]
        album = make_circle(keyring=keyring, title=title, description="", members_add=False)
        self.circles[title] = album.pk

    def make_team(self, owner: str, title: str, description: str, people: list[str]) -> None:
        keyring = self.keyrings[owner]
        team = make_circle(
            keyring=keyring, title=title, description=description, members_add=True, kind=TEAM
        )
        self.circles[title] = team.pk
        to = self._readers(owner, people)
        share_circle(keyring=keyring, circle_id=team.pk, recipients=to, terms=FOR_GOOD, kind=TEAM)

    def share_album(self, owner: str, title: str, people: list[str], team: str = "") -> None:
        share_circle(
            keyring=self.keyrings[owner],
            circle_id=self.circles[title],
            recipients=self._readers(owner, people),
            terms=FOR_GOOD,
            teams=[self.circles[team]] if team else [],
        )

    def share(self, owner: str, named: str, people: list[str], *, days: float = 0) -> None:
        """Share the first of these images: for good, or to be looked at for so many days."""
        ends_at = timezone.now() + timedelta(days=days)
        share_image(
            keyring=self.keyrings[owner],
            image_id=self.images[named][0],
            recipients=self._readers(owner, people),
            terms=Terms(VIEW, ends_at) if days else FOR_GOOD,
        )

    def share_with_team(self, owner: str, named: str, team: str) -> None:
        share_image(
            keyring=self.keyrings[owner],
            image_id=self.images[named][0],
            recipients=[],
            terms=FOR_GOOD,
            teams=[self.circles[team]],
        )

    def invite(self, owner: str, name: str, named: str) -> None:
        """Invite somebody who has no account, to look at the first of these images for a month."""
        new = make_invitation(
            keyring=self.keyrings[owner],
            details=Details(name, ""),
            spoken_code="",
            lasts=timedelta(days=DAYS_OF_A_LINK),
        )
        share_image(
            keyring=self.keyrings[owner],
            image_id=self.images[named][0],
            recipients=[],
            terms=Terms(VIEW, timezone.now() + timedelta(days=30)),
            invitations=[new.key],
        )

    def take_invitation_back(self, owner: str) -> None:
        user = self.keyrings[owner].user
        take_back(invitation=Invitation.objects.get(inviter=user), by=user)

    def revoke(self, owner: str, named: str, reader: str) -> None:
        person = User.objects.get(username=reader)
        keyring = self.keyrings[owner]
        revoke(keyring=keyring, image_id=self.images[named][0], recipient=person)

    def look_through(self, reader: str, title: str, numbers: list[int]) -> None:
        """Open some images of a series, and its album; download and confirm the first of them."""
        keyring, images = self.keyrings[reader], self.images[title]
        if album := self.circles.get(title):
            record_album(keyring.user, album)
        for number in numbers:
            self.open(reader, title, number)
        self.open(reader, title, numbers[0], Rendition.Name.ORIGINAL)
        acknowledge_image(keyring=keyring, image_id=images[numbers[0]])

    def open(
        self,
        reader: str,
        named: str,
        number: int = 0,
        rendition: Rendition.Name = Rendition.Name.DESCRIPTION,
    ) -> None:
        access = access_to(self.images[named][number], reader=self.keyrings[reader].user)
        record_opening(access, rendition)

    def confirm(self, reader: str, named: str) -> None:
        acknowledge_image(keyring=self.keyrings[reader], image_id=self.images[named][0])

    def ask_for_news(self, owner: str) -> None:
        """Let somebody wish for a notice when an image of theirs is first opened."""
        mailing.choose(person=self.keyrings[owner].user, how="daily", first_openings=True)

    def read_notices(self, person: str) -> None:
        """Let somebody look at all their notices, a page after the other."""
        user = self.keyrings[person].user
        for number in itertools.count(1):
            shown = inbox.read_notices(user, str(number))
            inbox.mark_read(user, shown)
            if not shown.page.has_next():
                break

    def _readers(self, owner: str, people: list[str]) -> list[Reader]:
        return find_people(people, besides=self.keyrings[owner].user)
