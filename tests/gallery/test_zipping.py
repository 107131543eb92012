"""A selection as one ZIP: each image in it is judged at its turn, as if it were asked for alone."""

import io
import json
import uuid
import weakref
from datetime import UTC, timedelta
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone

from accounts.models import Custody
from accounts.unlocks import end_unlocks
from audit.events import AuditUnavailable
from audit.models import AuditEntry
from gallery import releases, zipping
from gallery.errors import NoStream
from gallery.models import Grant, SealedImage, Statement
from gallery.opening import Opener
from gallery.storage import StorageAway
from tests.accounts.test_new_start import make_new_start
from tests.accounts.test_person_page import compare
from tests.conftest import jpeg
from tests.gallery.test_opening import flipped, stored
from tests.gallery.test_revoking import post_revoke
from tests.gallery.test_signers import forge

JSON = {"accept": "application/json"}
ADDRESS = "/images/zip/"
NOT_YOURS = "This image is not available to you."
ABSENT = uuid.UUID("00000000-0000-4000-8000-000000000000")


def ask(person, *images, **extra):
    """Ask for a ZIP of images, or of ids, in a browser that is signed in already."""
    ids = [getattr(image, "pk", image) for image in images]
    return person.client.post(ADDRESS, {"images": ids}, headers=JSON, **extra)


def opened(answer) -> ZipFile:
    assert answer.status_code == 200, answer.content
    return ZipFile(io.BytesIO(answer.getvalue()))


def left_out(archive: ZipFile) -> str:
    return archive.read("could-not-be-opened.txt").decode()


def refused(answer, *codes: str) -> bool:
    """Whether there is no ZIP, and these codes say why."""
    said = answer.json()
    assert (answer.status_code, said["code"]) == (409, "nothing_to_download"), said
    assert answer["Content-Type"] == "application/json"
    return [one["code"] for one in said["left_out"]] == list(codes)


def downloads(person) -> list[uuid.UUID]:
    entries = AuditEntry.objects.filter(event="image:downloaded", actor=person.user.pk)
    return [entry.subject for entry in entries.order_by("sequence")]


@pytest.fixture
def pictures() -> list[bytes]:
    return [jpeg(colour) for colour in ("teal", "coral", "gold")]


@pytest.fixture
def images(upload, bob, pictures) -> list[SealedImage]:
    """Three images that alice shared with bob, who is signed in."""
    uploaded = [upload(to=(bob,), data=data, keep_details="1") for data in pictures]
    bob.sign_in()
    return uploaded


# ---- what is in it ---------------------------------------------------------------------------


def test_an_owner_gets_their_originals_under_their_own_names(images, alice, pictures):
    answer = ask(alice, *images)
    archive = opened(answer)
    assert archive.namelist() == ["holiday.jpg", "holiday (2).jpg", "holiday (3).jpg"]
    assert [archive.read(name) for name in archive.namelist()] == pictures
    for info, image in zip(archive.infolist(), images, strict=True):
        sealed_at = image.sealed_at.astimezone(UTC)
        assert info.compress_type == ZIP_STORED
        assert info.date_time[:5] == sealed_at.timetuple()[:5]
    assert downloads(alice) == [image.pk for image in images]


@pytest.mark.attack("F97")
def test_a_recipient_gets_neutral_names_and_nothing_that_gives_people_away(images, bob, pictures):
    data = ask(bob, *images).getvalue()
    archive = ZipFile(io.BytesIO(data))
    assert archive.namelist() == [f"image-{str(image.pk)[:8]}.jpg" for image in images]
    assert [archive.read(name) for name in archive.namelist()] == pictures
    for word in (b"holiday", b"alice", b"Ardent", b"bob", b"caption"):
        assert word not in data
    assert downloads(bob) == [image.pk for image in images]


def test_it_keeps_the_order_asked_for_and_holds_each_image_once(images, bob):
    first, second, third = images
    archive = opened(ask(bob, third, first, third, second, first))
    wanted = [f"image-{str(image.pk)[:8]}.jpg" for image in (third, first, second)]
    assert archive.namelist() == wanted


@pytest.mark.attack("E8", "E10", "F64")
def test_its_headers_are_those_of_an_original(images, bob):
    answer, original = ask(bob, *images), bob.client.get(f"/images/{images[0].pk}/original")
    assert answer["Content-Type"] == "application/zip"
    day = timezone.localdate().isoformat()
    assert answer["Content-Disposition"] == f'attachment; filename="images-{day}.zip"'
    assert "Content-Length" not in answer
    of_one = {"Content-Type", "Content-Disposition", "Content-Length", "Accept-Ranges", "ETag"}
    for name in original.headers.keys() - of_one - {"X-Request-ID"}:
        assert answer[name] == original[name], name


# ---- who -------------------------------------------------------------------------------------


@pytest.mark.attack("C9", "C10", "F97")
def test_a_stranger_cannot_tell_an_image_from_none(images, mallory):
    mallory.sign_in()
    theirs, nobodys = ask(mallory, images[0]), ask(mallory, ABSENT)
    assert refused(theirs, "not_found")
    as_asked = theirs.content.replace(str(images[0].pk).encode(), str(ABSENT).encode())
    assert as_asked == nobodys.content
    assert AuditEntry.objects.filter(event="image:refused", subject=images[0].pk).exists()


@pytest.mark.attack("A6")
def test_staff_get_nothing(images, staff):
    answer = staff.post(ADDRESS, {"images": [images[0].pk]}, headers=JSON)
    assert refused(answer, "not_found")


def test_signed_out_and_locked_get_nothing(images, bob):
    assert Client().post(ADDRESS, {"images": [images[0].pk]}, headers=JSON).status_code == 401
    bob.client.post("/accounts/lock/")
    answer = ask(bob, *images)
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
    assert downloads(bob) == []


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_it_is_only_posted_to(images, bob, method):
    assert getattr(bob.client, method)(ADDRESS).status_code == 405


# ---- what is left out ------------------------------------------------------------------------


@pytest.mark.attack("F97")
def test_what_may_only_be_looked_at_is_left_out(images, upload, bob):
    seen = upload(to=(bob,), rights="view")
    archive = opened(ask(bob, images[0], seen))
    assert len(archive.namelist()) == 2
    assert f"2. {seen.pk}\n   You can see this image, but" in left_out(archive)
    assert downloads(bob) == [images[0].pk]


@pytest.mark.attack("C12", "F97")
def test_each_reason_is_given_as_for_one_image(images, upload, alice, bob):
    revoked, deleted, ended, altered = (upload(to=(bob,)) for _ in range(4))
    post_revoke(alice, revoked)
    alice.client.post(f"/images/{deleted.pk}/delete/")
    Grant.objects.filter(image=ended, reader=bob.user).update(ends_at=timezone.now())
    path, sound = stored(altered, "original")
    with open(path, "wb") as file:
        file.write(flipped(sound))
    asked = (revoked, deleted, ABSENT, images[0], ended, altered)
    answer = ask(bob, *asked)
    archive = opened(answer)
    assert archive.namelist() == [f"image-{str(images[0].pk)[:8]}.jpg", "could-not-be-opened.txt"]
    text = left_out(archive)
    for number, image in enumerate(asked, start=1):
        one = bob.client.get(f"/images/{getattr(image, 'pk', image)}/original", headers=JSON)
        line = f"{number}. {getattr(image, 'pk', image)}\n   "
        if image == images[0]:
            assert line not in text
        else:
            assert line + one.json()["message"] + "\n" in text
    assert answer["X-Request-ID"] in text
    assert downloads(bob) == [images[0].pk]
    said = {"image:refused": [revoked, deleted, ABSENT, ended], "image:altered": [altered]}
    for event, subjects in said.items():
        entries = AuditEntry.objects.filter(event=event, actor=bob.user.pk)
        known = {getattr(image, "pk", image) for image in subjects}
        assert {entry.subject for entry in entries} == known


@pytest.mark.attack("F14", "F97")
def test_an_image_of_another_signer_than_the_compared_one_is_left_out(images, alice, bob):
    compare(bob.client, "alice")
    forge(images[0], alice, epoch=2)
    assert refused(ask(bob, images[0]), "other_signer")


def test_an_image_that_waits_is_left_out(images, bob):
    bob.client = make_new_start(bob)
    assert refused(ask(bob, images[0]), "waiting")


@pytest.mark.attack("F97")
def test_an_altered_name_keeps_its_image_out(images, alice):
    path, sound = stored(images[0], "description")
    with open(path, "wb") as file:
        file.write(flipped(sound))
    archive = opened(ask(alice, images[0], images[1]))
    assert len(archive.namelist()) == 2
    assert "does not match its owner" in left_out(archive)


def test_nothing_to_download_is_a_page_in_a_browser(images, mallory):
    mallory.sign_in()
    answer = mallory.client.post(ADDRESS, {"images": [images[0].pk]})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Nothing you selected can be downloaded." in page
    assert NOT_YOURS in page


# ---- a part is away --------------------------------------------------------------------------


def test_what_the_storage_does_not_give_is_left_out_and_the_rest_comes(images, bob, monkeypatch):
    real = Opener.open

    def away(opener, access, rendition):
        if access.image.pk == images[1].pk:
            raise StorageAway
        return real(opener, access, rendition)

    monkeypatch.setattr(Opener, "open", away)
    archive = opened(ask(bob, *images))
    assert len(archive.namelist()) == 3
    assert f"2. {images[1].pk}\n   A part of ImageShare is busy" in left_out(archive)
    assert downloads(bob) == [images[0].pk, images[2].pk]


@pytest.mark.attack("F97")
def test_what_the_trail_does_not_take_is_not_released(images, bob, pictures, monkeypatch):
    real = releases.record

    def away(event, *, actor, subject):
        if subject == images[1].pk:
            raise AuditUnavailable
        return real(event, actor=actor, subject=subject)

    monkeypatch.setattr(releases, "record", away)
    data = ask(bob, *images).getvalue()
    assert pictures[1] not in data
    assert pictures[0] in data
    assert pictures[2] in data


def test_with_a_part_away_from_all_it_is_503(images, bob, monkeypatch):
    def away(*arguments, **facts):
        raise AuditUnavailable

    monkeypatch.setattr(releases, "record", away)
    monkeypatch.setattr("gallery.refusals.record_refusal_of", away)
    answer = ask(bob, images[0], ABSENT)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"] == "10"


def test_a_second_one_at_once_is_503_and_leaves_no_entry(images, bob, monkeypatch):
    def full(request):
        raise NoStream

    monkeypatch.setattr("gallery.views.zipping.take_stream", full)
    before = AuditEntry.objects.count()
    answer = ask(bob, *images)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"] == "10"
    assert AuditEntry.objects.count() == before


# ---- while it is on its way ------------------------------------------------------------------


@pytest.fixture
def begun(images, bob):
    """A ZIP of which the first piece has come."""
    answer = ask(bob, *images)
    pieces = iter(answer.streaming_content)
    return answer, pieces, next(pieces)


def rest(begun) -> ZipFile:
    _, pieces, first = begun
    return ZipFile(io.BytesIO(first + b"".join(pieces)))


@pytest.mark.attack("D1", "F97")
def test_each_entry_stands_before_its_images_first_byte(images, bob, begun):
    assert downloads(bob) == [images[0].pk]
    seen = b""
    _, pieces, _ = begun
    for piece in pieces:
        seen += piece
        started = [image for image in images if f"image-{str(image.pk)[:8]}".encode() in seen]
        assert set(downloads(bob)) >= {image.pk for image in started}


def test_entries_made_on_the_way_name_the_request(images, bob, begun):
    rest(begun)
    entries = AuditEntry.objects.filter(event="image:downloaded", actor=bob.user.pk)
    assert {entry.request for entry in entries} == {begun[0]["X-Request-ID"]}
    assert len(entries) == 3


@pytest.mark.attack("C12", "F97")
def test_what_is_revoked_on_the_way_does_not_come(images, alice, bob, pictures, begun):
    post_revoke(alice, images[1])
    archive = rest(begun)
    assert [archive.read(name) for name in archive.namelist()[:-1]] == [pictures[0], pictures[2]]
    assert "Alice Ardent (@alice) has ended your access." in left_out(archive)
    assert downloads(bob) == [images[0].pk, images[2].pk]


def test_what_is_locked_again_on_the_way_comes(images, upload, alice, bob, carol):
    theirs = upload(to=(bob, carol))
    pieces = iter(ask(bob, images[0], theirs).streaming_content)
    first = next(pieces)
    post_revoke(alice, theirs, "carol")
    assert len(ZipFile(io.BytesIO(first + b"".join(pieces))).namelist()) == 2


WAYS = ["locking", "signing out", "a new password", "being disabled"]
# Without a word to the unlock: in a shell, or with Django's own commands.
WAYS += ["a password set elsewhere", "a row that says disabled", "a session that is gone"]


@pytest.mark.attack("F97")
@pytest.mark.parametrize("how", WAYS)
def test_whose_keys_are_locked_on_the_way_gets_no_more(images, bob, begun, how):
    rows = type(bob.user).objects.filter(pk=bob.user.pk)
    if how == "locking":
        bob.client.post("/accounts/lock/")
    elif how == "signing out":
        bob.client.post("/accounts/logout/")
    elif how == "a password set elsewhere":
        rows.update(password=make_password("another horse battery"))
    elif how == "a session that is gone":
        bob.client.session.delete()
    else:
        if how != "a row that says disabled":
            end_unlocks(bob.user)
        if how != "a new password":
            rows.update(is_active=False)
    archive = rest(begun)
    assert len(archive.namelist()) == 2
    assert left_out(archive).count("Your keys were locked before") == 2
    assert downloads(bob) == [images[0].pk]


@pytest.mark.attack("F97")
def test_an_unlock_that_is_over_on_the_way_gives_no_more(images, bob, begun):
    Custody.objects.filter(user=bob.user).update(absolute_ends_at=timezone.now())
    assert left_out(rest(begun)).count("Your keys were locked before") == 2
    assert not Custody.objects.filter(user=bob.user).exists()


def test_a_person_whose_zip_is_on_its_way_is_not_idle(images, bob, begun):
    soon = timezone.now() + timedelta(seconds=30)
    Custody.objects.filter(user=bob.user).update(idle_ends_at=soon)
    assert len(rest(begun).namelist()) == 3
    assert Custody.objects.get(user=bob.user).idle_ends_at > soon


@pytest.mark.attack("F97")
def test_a_fault_on_the_way_leaves_nothing_that_looks_whole(images, bob, begun, monkeypatch):
    def fails(*arguments, **facts):
        raise RuntimeError

    monkeypatch.setattr(zipping, "access_to", fails)
    _, pieces, first = begun
    received = [first]
    with pytest.raises(RuntimeError):
        received.extend(iter(pieces.__next__, None))
    with pytest.raises(BadZipFile):
        ZipFile(io.BytesIO(b"".join(received)))


def test_who_goes_away_is_given_nothing_more(images, bob, begun):
    answer, pieces, _ = begun
    answer.close()
    assert list(pieces) == []
    assert downloads(bob) == [images[0].pk]


def test_one_picture_at_a_time_is_in_memory(images, bob, monkeypatch):
    """What `open` returned for one image is gone when the next one is opened."""
    real, held = zipping._original, []

    def watched(opener, access):
        assert [original() for original in held if original()] == []
        original = real(opener, access)
        held.append(weakref.ref(original))
        return original

    monkeypatch.setattr(zipping, "_original", watched)
    ask(bob, *images).getvalue()
    assert len(held) == 3


# ---- what is asked for -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "required"),
        ([""], "invalid"),
        (["../../etc/passwd"], "invalid"),
        ([str(ABSENT), "x"], "invalid"),
        ([str(ABSENT)] * 1001, "too_many_images"),
    ],
    ids=["none", "empty", "path", "one of two", "1001"],
)
def test_a_selection_that_is_none_is_422(bob, ids, code):
    bob.sign_in()
    answer = bob.client.post(ADDRESS, {"images": ids}, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]["images"][0]["code"] == code
    page = bob.client.post(ADDRESS, {"images": ids})
    assert page.status_code == 422
    assert json.loads(answer.content)["errors"]["images"][0]["message"] in page.content.decode()


def test_a_thousand_are_looked_at(images, bob):
    ids = [uuid.UUID(int=number + 1) for number in range(999)]
    archive = opened(ask(bob, *ids, images[0]))
    assert len(archive.namelist()) == 2
    assert left_out(archive).count(NOT_YOURS) == 999
    assert AuditEntry.objects.filter(event="image:refused", actor=bob.user.pk).count() < 20


def test_statements_put_back_are_left_out(images, bob):
    Statement.objects.filter(subject=images[0].pk, kind="share").delete()
    assert refused(ask(bob, images[0]), "altered")
