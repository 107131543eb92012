"""Uploading: what is sealed, for whom, and everything that is refused."""

import io
import uuid
from pathlib import Path

import pytest
from django.core.files.storage import storages

from accounts.models import KeyPair, User, WrappedKey
from audit.models import AuditEntry
from gallery import storage
from gallery.models import Grant, Notice, Rendition, SealedImage, Statement
from gallery.services import retrying
from tests.conftest import jpeg

ADDRESS = "/images/upload/"
JSON = {"accept": "application/json"}


def file(data: bytes, name: str = "holiday.jpg") -> io.BytesIO:
    stream = io.BytesIO(data)
    stream.name = name
    return stream


def post(person, files=None, **fields):
    images = [file(jpeg())] if files is None else files
    return person.unlocked().post(ADDRESS, {"images": images, **fields}, headers=JSON)


def stored_files() -> set[str]:
    sealed = storages["sealed"]
    folders, _ = sealed.listdir("")
    return {f"{folder}/{name}" for folder in folders for name in sealed.listdir(folder)[1]}


def nothing_was_stored(before: set[str]) -> bool:
    rows = (SealedImage, Rendition, Statement, Grant, WrappedKey, Notice)
    return stored_files() == before and not any(model.objects.exists() for model in rows)


# ---- who it is for ---------------------------------------------------------------------------


@pytest.mark.attack("C11")
@pytest.mark.parametrize(
    "names", [["nobody-here"], ["bob", "nobody-here"], ["bob, mallory"], ["bbob"], ["Bob (@bbob)"]]
)
def test_one_unknown_recipient_refuses_all(alice, bob, names):
    before = stored_files()
    answer = post(alice, recipients=names)
    assert answer.status_code == 422
    assert answer.json()["errors"]["recipients"][0]["code"] == "unknown_recipient"
    assert nothing_was_stored(before)


@pytest.mark.attack("C11")
@pytest.mark.parametrize(
    "names",
    [
        ["@bob", "carol"],
        ["bob, carol"],
        ["bob;carol\r\n"],
        [" @Bob  @carol "],
        ["Bob Brook (@bob), Carol Clay (@carol)"],
        ["bob", "bob, @carol, alice,,"],
    ],
)
def test_user_names_are_understood_as_people_list_them(alice, bob, carol, names):
    answer = post(alice, recipients=names)
    assert answer.status_code == 201
    assert set(Grant.objects.values_list("reader__username", flat=True)) == {
        "alice",
        "bob",
        "carol",
    }


def test_a_recipient_without_keys_refuses_all(alice, make_person):
    make_person("dora", "Dora", with_code=False)
    before = stored_files()
    answer = post(alice, recipients=["dora"])
    assert answer.json()["errors"]["recipients"][0]["code"] == "no_keys"
    assert nothing_was_stored(before)


@pytest.mark.parametrize("name", ["bo\x00b", "\ud800", "b" * 10_000, "\u202ebob", "БОБ"])
def test_a_name_nobody_can_have_is_unknown_and_not_shown_back(alice, bob, name):
    answer = post(alice, recipients=[name.encode("utf-8", "surrogatepass")])
    (error,) = answer.json()["errors"]["recipients"]
    assert error["code"] == "unknown_recipient"
    assert "\x00" not in error["message"]
    assert "\u202e" not in error["message"]


def test_a_disabled_recipient_is_unknown(alice, bob):
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    answer = post(alice, recipients=["bob"])
    assert answer.json()["errors"]["recipients"][0]["code"] == "unknown_recipient"


def test_a_recipient_whose_key_was_exchanged_refuses_all(alice, bob, mallory):
    theirs = mallory.user.key_pairs.get(purpose="encryption")
    ours = bob.user.key_pairs.get(purpose="encryption")
    KeyPair.objects.filter(pk=ours.pk).update(public_key=bytes(theirs.public_key))
    before = stored_files()
    assert post(alice, recipients=["bob"]).status_code == 422
    assert nothing_was_stored(before)


def test_an_owner_whose_key_is_marked_stolen_is_refused_and_nothing_is_stored(alice):
    """Such as in the moment a theft is ordered, or by an altered row."""
    KeyPair.objects.filter(user=alice.user, purpose="encryption").update(state="compromised")
    before = stored_files()
    answer = post(alice)
    assert (answer.status_code, answer.json()["code"]) == (409, "own_key_refused")
    page = alice.client.post(ADDRESS, {"images": [file(jpeg())]}).content.decode()
    assert "<h1>You need new keys</h1>" in page
    assert "Not ready yet" not in page
    assert nothing_was_stored(before)


def test_more_than_five_hundred_recipients_are_refused(alice):
    answer = post(alice, recipients=[f"name{number}" for number in range(501)])
    assert answer.json()["errors"]["recipients"][0]["code"] == "too_many_recipients"


@pytest.mark.attack("C11")
def test_oneself_repeats_and_blanks_are_ignored(alice, bob):
    answer = post(alice, recipients=["bob", " BOB ", "alice", "", "bob"])
    assert answer.status_code == 201
    readers = Grant.objects.values_list("reader__username", flat=True)
    assert sorted(readers) == ["alice", "bob"]


def test_no_recipient_makes_a_draft_for_its_owner_alone(alice):
    assert post(alice).status_code == 201
    assert Grant.objects.get().reader == alice.user
    assert not Notice.objects.exists()


# ---- what it may not be ----------------------------------------------------------------------


@pytest.mark.attack("E8")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xff", "not_an_image"),
        (b"%PDF-1.7 ...", "not_an_image"),
        (b"II*\0\x08\0\0\0", "tiff"),
        (b"MM\0*\0\0\0\x08", "tiff"),
        (bytes(128) + b"DICM\x02\0", "dicom"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (jpeg()[:-200], "incomplete"),
    ],
    ids=["empty", "one byte", "PDF", "TIFF", "big-endian TIFF", "DICOM", "SVG", "truncated"],
)
def test_a_file_that_is_no_picture_is_named_and_nothing_is_stored(alice, data, code):
    before = stored_files()
    answer = post(alice, [file(data, "scan.jpg")])
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]["0"]
    assert error["code"] == code
    assert "scan.jpg" in error["message"]
    assert nothing_was_stored(before)
    assert AuditEntry.objects.filter(event="image:upload-refused").exists()


@pytest.mark.attack("E6")
def test_one_bad_file_among_nine_good_leaves_the_nine(alice):
    files = [file(jpeg()) for _ in range(9)]
    files.insert(4, file(b"not a picture", "notes.txt"))
    answer = post(alice, files)
    assert answer.status_code == 201
    assert len(answer.json()["images"]) == 9
    assert list(answer.json()["errors"]) == ["4"]
    assert SealedImage.objects.count() == 9


@pytest.mark.attack("E7")
def test_a_file_over_the_limit_is_that_files_error(alice, settings):
    settings.MAX_UPLOAD_BYTES = 2000
    answer = post(alice, [file(jpeg()), file(jpeg() + bytes(3000), "big.jpg")])
    assert answer.status_code == 201
    assert answer.json()["errors"]["1"][0]["code"] == "too_large"


@pytest.mark.attack("E7")
def test_a_request_over_the_limit_is_413_before_it_is_read(alice, settings):
    settings.MAX_REQUEST_BYTES = 1000
    answer = post(alice, [file(jpeg() + bytes(3000))])
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_too_many_files_are_413(alice, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    answer = post(alice, [file(jpeg()) for _ in range(3)])
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_files")
    assert not SealedImage.objects.exists()


def test_too_many_fields_are_413(alice, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5
    answer = post(alice, recipients=["bob"] * 6)
    assert answer.status_code == 413


def test_no_file_at_all_is_422(alice):
    answer = post(alice, [])
    assert answer.json()["errors"]["images"][0]["code"] == "required"


def test_a_caption_of_501_characters_is_refused(alice):
    answer = post(alice, caption="x" * 501)
    assert answer.json()["errors"]["caption"][0]["code"] == "max_length"


def test_an_end_in_the_past_is_refused(alice, bob):
    answer = post(alice, recipients=["bob"], ends_at="2020-01-01T00:00:00+01:00")
    assert answer.json()["errors"]["ends_at"][0]["code"] == "in_the_past"


@pytest.mark.attack("B7", "E1")
@pytest.mark.parametrize(
    "name", ["../x.jpg", "/tmp/x.jpg", "a\\b.jpg", "x" * 300 + ".jpg", "‮gpj.exe", "a\nb.jpg"]
)
def test_a_hostile_file_name_is_only_ever_shown(alice, name):
    answer = post(alice, [file(jpeg(), name)])
    assert answer.status_code == 201
    for stored in Rendition.objects.values_list("storage_name", flat=True):
        assert len(stored) == 35
        assert set(stored) <= set("0123456789abcdef/")


def test_signed_out_nothing_is_kept_of_the_body(client):
    answer = client.post(ADDRESS, {"images": [file(jpeg())]}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")


def test_locked_nothing_is_stored(alice):
    client = alice.sign_in()
    client.post("/accounts/lock/")
    answer = client.post(ADDRESS, {"images": [file(jpeg())]}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
    assert not SealedImage.objects.exists()


@pytest.mark.attack("B11", "C4")
def test_an_owner_named_in_the_form_changes_nothing(alice, mallory):
    post(alice, owner="mallory", owner_id=str(mallory.user.pk), lock="7")
    assert SealedImage.objects.get().owner == alice.user


# ---- what it becomes -------------------------------------------------------------------------


def test_an_upload_is_sealed_signed_granted_noticed_and_recorded(alice, bob):
    answer = post(alice, recipients=["bob"], caption="At the lake", rights="view")
    image = SealedImage.objects.get(pk=answer.json()["images"][0]["id"])
    assert answer.json()["images"][0]["url"] == f"/images/{image.pk}/"
    assert set(image.renditions.values_list("name", flat=True)) == set(Rendition.Name.values)
    statements = Statement.objects.filter(subject=image.pk).values_list("kind", "sequence")
    assert set(statements) == {("manifest", 1), ("share", 1)}
    rights = dict(Grant.objects.values_list("reader__username", "rights"))
    assert rights == {"alice": "download", "bob": "view"}
    assert Notice.objects.get().person == bob.user
    outcomes = AuditEntry.objects.filter(event="image:uploaded", subject=image.pk)
    assert list(outcomes.order_by("sequence").values_list("outcome", flat=True)) == [
        "intended",
        "done",
    ]


@pytest.mark.attack("A7")
def test_the_same_picture_twice_shares_no_stored_byte(alice):
    post(alice, [file(jpeg()), file(jpeg())])
    names = Rendition.objects.values_list("storage_name", flat=True)
    stored = [Path(storages["sealed"].path(name)).read_bytes() for name in names]
    assert len({data[:16] for data in stored}) == 8
    assert len({data[16:32] for data in stored}) == 8


@pytest.mark.attack("D1")
def test_a_retry_with_the_same_upload_id_makes_nothing_twice(alice, bob):
    upload_id = str(uuid.uuid4())
    first = post(alice, recipients=["bob"], upload_id=upload_id)
    again = post(alice, recipients=["bob"], upload_id=upload_id)
    assert first.json() == again.json()
    assert SealedImage.objects.count() == 1
    assert Notice.objects.count() == 1


def test_another_picture_under_a_used_upload_id_is_not_swallowed(alice):
    upload_id = str(uuid.uuid4())
    post(alice, upload_id=upload_id)
    answer = post(alice, [file(jpeg("maroon"))], upload_id=upload_id)
    assert answer.status_code == 422
    assert answer.json()["errors"]["0"][0]["code"] == "upload_id_used"
    assert SealedImage.objects.count() == 1
    refused = AuditEntry.objects.get(event="image:upload-refused")
    assert refused.parsed().facts == {"code": "upload_id_used"}


def test_a_deleted_image_does_not_pass_for_the_one_sent_again(alice):
    upload_id = str(uuid.uuid4())
    image = post(alice, upload_id=upload_id).json()["images"][0]
    alice.client.post(f"{image['url']}delete/")
    answer = post(alice, upload_id=upload_id)
    assert answer.json()["errors"]["0"][0]["code"] == "upload_id_used"


def test_two_tries_at_once_make_one_image(alice, monkeypatch):
    """The second looks before the first commits, and commits after it."""
    upload_id = str(uuid.uuid4())
    first = post(alice, upload_id=upload_id).json()
    looks = iter([None, SealedImage.objects.get()])
    monkeypatch.setattr(retrying, "_earlier_try", lambda *_: next(looks))
    before = stored_files()
    assert post(alice, upload_id=upload_id).json() == first
    assert stored_files() == before
    assert SealedImage.objects.count() == 1


def test_somebody_elses_upload_id_is_nothing_to_us(alice, bob):
    upload_id = str(uuid.uuid4())
    assert post(alice, upload_id=upload_id).json() != post(bob, upload_id=upload_id).json()
    assert SealedImage.objects.count() == 2


@pytest.mark.parametrize(
    ("ends_at", "code"),
    [
        ("1999-01-01T00:00", "in_the_past"),
        ("0001-01-01T00:00:00+14:00", "in_the_past"),
        ("9999-12-31T23:59:59-14:00", "too_far"),
        ("9999-12-31T23:59", "too_far"),
        ("2999-01-01T00:00", "too_far"),
        ("tomorrow", "invalid"),
        ("2026-13-01T00:00", "invalid"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(alice, bob, ends_at, code):
    before = stored_files()
    answer = post(alice, recipients=["bob"], ends_at=ends_at)
    assert answer.status_code == 422
    assert answer.json()["errors"]["ends_at"][0]["code"] == code
    assert nothing_was_stored(before)


def test_a_storage_that_fails_leaves_neither_row_nor_file(alice, bob, monkeypatch):
    before = stored_files()
    writes = iter([True, True, False])

    def failing(path, data, write=storage._write_and_sync):
        if not next(writes):
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(storage, "_write_and_sync", failing)
    alice.sign_in().raise_request_exception = False
    answer = post(alice, recipients=["bob"])
    assert answer.status_code == 503
    assert "Retry-After" in answer
    assert nothing_was_stored(before)
    assert AuditEntry.objects.filter(event="image:uploaded", outcome="failed").exists()


def test_a_page_names_what_was_kept_and_what_was_not(alice, bob):
    client = alice.sign_in()
    files = [file(jpeg()), file(b"not a picture", "notes.txt")]
    answer = client.post(ADDRESS, {"images": files, "recipients": ["bob"]})
    assert answer.status_code == 201
    assert b"notes.txt" in answer.content
    assert b"Bob Brook" in answer.content
