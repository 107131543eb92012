"""Opening: every stored byte and every row is the attacker's to change, and none may pass."""

import json

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from accounts.custody import open_with_password
from accounts.keys.certificates import verified_encryption_key
from accounts.keys.content_keys import content_key_label
from accounts.models import KeyPair, WrappedKey
from audit.models import AuditEntry
from cryptocore.wrapping import wrap
from gallery.access import access_to
from gallery.errors import Altered
from gallery.models import Grant, Rendition, SealedImage, Statement
from gallery.opening import Opener
from gallery.sealing import sign_statement
from tests.conftest import PASSWORD

JSON = {"accept": "application/json"}
BYTES = ["original", "preview", "thumbnail"]


def get(person, image, what=""):
    return person.sign_in().get(f"/images/{image.pk}/{what}", headers=JSON)


def flipped(data, position=None):
    damaged = bytearray(bytes(data))
    damaged[len(damaged) // 2 if position is None else position] ^= 1
    return bytes(damaged)


def stored(image, name="preview"):
    row = image.renditions.get(name=name)
    sealed = storages["sealed"]
    with sealed.open(row.storage_name) as file:
        return sealed.path(row.storage_name), file.read()


def is_refused(person, image, what="preview"):
    answer = get(person, image, what)
    assert answer.status_code == 409, answer.status_code
    assert answer.json()["code"] == "altered"
    assert AuditEntry.objects.filter(event="image:altered", subject=image.pk).exists()
    return answer.json()


# ---- asked for without a body -----------------------------------------------------------------


@pytest.mark.parametrize("what", ["", *BYTES])
def test_asking_for_headers_alone_opens_nothing_and_is_no_opening(shared_image, bob, what):
    before = AuditEntry.objects.count()
    client = bob.sign_in()
    signed_in = AuditEntry.objects.count()
    answer = client.head(f"/images/{shared_image.pk}/{what}")
    assert answer.status_code == 200
    assert b"".join(answer) == b""
    assert AuditEntry.objects.count() == signed_in > before


# ---- who -------------------------------------------------------------------------------------


@pytest.mark.attack("C9", "C10")
@pytest.mark.parametrize("what", ["", *BYTES])
def test_a_stranger_cannot_distinguish_an_image_from_none(shared_image, mallory, what):
    theirs = get(mallory, shared_image, what)
    nobodys = mallory.client.get(
        f"/images/00000000-0000-4000-8000-000000000000/{what}", headers=JSON
    )
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()


@pytest.mark.attack("A6")
@pytest.mark.parametrize("what", BYTES)
def test_a_superuser_opens_nothing(shared_image, staff, what):
    assert staff.get(f"/images/{shared_image.pk}/{what}").status_code == 404


@pytest.mark.parametrize("what", BYTES)
def test_signed_out_and_locked_get_no_byte(shared_image, bob, client, what):
    assert client.get(f"/images/{shared_image.pk}/{what}").status_code == 302
    browser = bob.sign_in()
    browser.post("/accounts/lock/")
    answer = browser.get(f"/images/{shared_image.pk}/{what}")
    assert answer.status_code == 401


@pytest.mark.parametrize("what", ["", *BYTES])
def test_owner_and_recipient_open_it(shared_image, alice, bob, what):
    for person in (alice, bob):
        assert get(person, shared_image, what).status_code == 200


@pytest.mark.attack("B8")
def test_what_comes_back_is_what_was_sealed(upload, bob, picture):
    image = upload(to=(bob,), data=picture, keep_details="1")
    answer = get(bob, image, "original")
    assert answer.getvalue() == picture
    assert answer["Content-Length"] == str(len(picture))
    assert answer["Content-Type"] == "image/jpeg"


def test_view_only_gives_no_original(upload, bob):
    image = upload(to=(bob,), rights="view")
    assert get(bob, image, "preview").status_code == 200
    answer = get(bob, image, "original")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_an_end_that_has_come_is_410_and_says_so(shared_image, bob):
    Grant.objects.filter(reader=bob.user).update(ends_at=timezone.now())
    answer = get(bob, shared_image, "preview")
    assert (answer.status_code, answer.json()["code"]) == (410, "access_ended")


@pytest.mark.attack("E8", "E10", "F64")
def test_bytes_are_guarded_by_headers(shared_image, bob):
    for what in BYTES:
        answer = get(bob, shared_image, what)
        assert set(answer["Content-Security-Policy"].split("; ")) == {
            *("default-src 'none'", "sandbox", "frame-ancestors 'none'"),
            *("base-uri 'none'", "form-action 'none'"),
        }
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "holiday" not in answer["Content-Disposition"]


# ---- stored bytes ----------------------------------------------------------------------------


@pytest.mark.attack("B1", "B2", "B3")
@pytest.mark.parametrize(
    "change",
    [
        lambda data: flipped(data, 0),
        lambda data: flipped(data),
        lambda data: flipped(data, -1),
        lambda data: data[:-1],
        lambda data: data[:-16],
        lambda data: data + b"\0",
        lambda data: data + data[-16:],
        lambda data: b"",
        lambda data: data[:16] + data[32:48] + data[16:32] + data[48:],
    ],
    ids=["IV", "body", "end", "cut", "cut block", "longer", "longer block", "empty", "reordered"],
)
@pytest.mark.parametrize("name", [*BYTES, "description"])
def test_changed_bytes_are_refused(shared_image, bob, name, change):
    path, data = stored(shared_image, name)
    with open(path, "wb") as file:
        file.write(change(data))
    is_refused(bob, shared_image, "" if name == "description" else name)


def test_absent_bytes_are_refused(shared_image, bob):
    shared_image.renditions.filter(name="preview").update(storage_name="aa/nothing")
    is_refused(bob, shared_image)


@pytest.mark.attack("B5")
def test_another_renditions_bytes_are_refused(shared_image, bob):
    rows = {row.name: row for row in shared_image.renditions.all()}
    names = rows["preview"].storage_name, rows["thumbnail"].storage_name
    Rendition.objects.filter(pk=rows["preview"].pk).update(storage_name="x")
    Rendition.objects.filter(pk=rows["thumbnail"].pk).update(storage_name=names[0])
    Rendition.objects.filter(pk=rows["preview"].pk).update(storage_name=names[1])
    is_refused(bob, shared_image)


# ---- rows ------------------------------------------------------------------------------------


@pytest.mark.attack("B1")
@pytest.mark.parametrize("kind", ["manifest", "share"])
@pytest.mark.parametrize("column", ["body", "signature"])
def test_a_flipped_bit_in_a_statement_is_refused(shared_image, bob, kind, column):
    statement = Statement.objects.get(subject=shared_image.pk, kind=kind)
    setattr(statement, column, flipped(getattr(statement, column)))
    statement.save()
    is_refused(bob, shared_image)


@pytest.mark.parametrize("kind", ["manifest", "share"])
def test_a_missing_statement_is_refused(shared_image, bob, kind):
    Statement.objects.filter(subject=shared_image.pk, kind=kind).delete()
    is_refused(bob, shared_image)


@pytest.mark.attack("B5")
@pytest.mark.parametrize("kind", ["manifest", "share"])
def test_the_statement_of_another_image_is_refused(shared_image, upload, bob, kind):
    other = upload(to=(bob,))
    Statement.objects.filter(subject=shared_image.pk, kind=kind).delete()
    Statement.objects.filter(subject=other.pk, kind=kind).update(subject=shared_image.pk)
    is_refused(bob, shared_image)


@pytest.mark.attack("B6")
@pytest.mark.parametrize(
    "values",
    [{"lock": 2}, {"owner": "mallory"}],
    ids=["lock", "owner"],
)
def test_a_changed_image_row_is_refused(shared_image, bob, mallory, values):
    values = {name: mallory.user if value == "mallory" else value for name, value in values.items()}
    SealedImage.objects.filter(pk=shared_image.pk).update(**values)
    is_refused(bob, shared_image)


@pytest.mark.parametrize("column", ["entry", "salt"])
def test_a_flipped_bit_in_an_entry_is_refused(shared_image, bob, column):
    grant = Grant.objects.get(image=shared_image, reader=bob.user)
    setattr(grant, column, flipped(getattr(grant, column)))
    grant.save()
    is_refused(bob, shared_image)


@pytest.mark.attack("B6")
def test_rights_raised_in_the_row_are_refused(upload, bob):
    image = upload(to=(bob,), rights="view")
    Grant.objects.filter(reader=bob.user).update(rights="download")
    is_refused(bob, image, "original")


@pytest.mark.attack("B6")
def test_an_end_taken_out_of_the_row_still_holds(upload, bob, monkeypatch):
    image = upload(to=(bob,), ends_at="2099-01-01T00:00:00Z")
    Grant.objects.filter(reader=bob.user).update(ends_at=None)
    later = timezone.now().replace(year=2100)
    monkeypatch.setattr("gallery.opening.timezone.now", lambda: later)
    access = access_to(image.pk, reader=bob.user)
    with pytest.raises(Altered):
        Opener(open_with_password(bob.user, PASSWORD)).check_entry(access)


def test_a_grant_given_behind_the_owners_back_is_refused(shared_image, mallory, bob):
    # A database writer copies bob's grant for mallory, wrapped key and all.
    grant = Grant.objects.get(image=shared_image, reader=bob.user)
    wrapped = grant.wrapped_key
    pair = mallory.user.key_pairs.get(purpose="encryption")
    copy = WrappedKey.objects.create(
        key_pair=pair, subject=wrapped.subject, lock=1, oaep_bytes=bytes(wrapped.oaep_bytes)
    )
    Grant.objects.create(
        image=shared_image,
        owner=shared_image.owner,
        reader=mallory.user,
        wrapped_key=copy,
        entry=bytes(grant.entry),
        salt=bytes(grant.salt),
        rights=grant.rights,
        granted_at=grant.granted_at,
    )
    is_refused(mallory, shared_image)


@pytest.mark.attack("B5", "B6")
def test_bobs_grant_handed_over_to_mallory_is_refused(shared_image, mallory, bob):
    Grant.objects.filter(reader=bob.user).update(reader=mallory.user)
    is_refused(mallory, shared_image)


@pytest.mark.parametrize("column", ["oaep_bytes", "lock", "subject"])
def test_a_changed_wrapped_key_is_refused(shared_image, upload, bob, column):
    wrapped = WrappedKey.objects.get(key_pair__user=bob.user)
    changed = {"oaep_bytes": flipped(wrapped.oaep_bytes), "lock": 2, "subject": upload().pk}
    WrappedKey.objects.filter(pk=wrapped.pk).update(**{column: changed[column]})
    is_refused(bob, shared_image)


@pytest.mark.attack("B5")
def test_the_wrapped_key_of_another_image_is_refused(shared_image, upload, bob):
    other = upload(to=(bob,))
    theirs = WrappedKey.objects.get(key_pair__user=bob.user, subject=other.pk)
    WrappedKey.objects.filter(key_pair__user=bob.user, subject=shared_image.pk).update(
        oaep_bytes=bytes(theirs.oaep_bytes)
    )
    is_refused(bob, shared_image)


def test_a_spoilt_quick_key_costs_time_and_nothing_else(shared_image, bob):
    assert get(bob, shared_image, "preview").status_code == 200
    wrapped = WrappedKey.objects.get(key_pair__user=bob.user)
    assert wrapped.quick_key
    WrappedKey.objects.filter(pk=wrapped.pk).update(quick_key=flipped(wrapped.quick_key))
    assert get(bob, shared_image, "preview").status_code == 200


def test_another_images_quick_key_opens_nothing_wrong(shared_image, upload, bob):
    other = upload(to=(bob,))
    get(bob, other, "preview")
    quick_key = WrappedKey.objects.get(key_pair__user=bob.user, subject=other.pk).quick_key
    WrappedKey.objects.filter(key_pair__user=bob.user, subject=shared_image.pk).update(
        quick_key=bytes(quick_key)
    )
    assert get(bob, shared_image, "preview").status_code == 200


@pytest.mark.attack("B10")
@pytest.mark.parametrize("column", ["public_key", "certificate", "certificate_signature"])
def test_an_owners_key_that_does_not_verify_is_refused(shared_image, alice, bob, column):
    pair = KeyPair.objects.get(user=alice.user, purpose="signing")
    setattr(pair, column, flipped(getattr(pair, column)))
    pair.save()
    is_refused(bob, shared_image)


@pytest.mark.attack("B4")
def test_mallory_cannot_put_her_own_signature_on_alices_image(shared_image, alice, bob, mallory):
    head = Statement.objects.get(subject=shared_image.pk, kind="manifest")
    body = json.loads(bytes(head.body))
    fields = {name: body[name] for name in ("lock", "renditions", "key_commitment")}
    forged = sign_statement(
        "manifest", fields, keyring=mallory.keyring, subject=shared_image.pk, previous=head
    )
    forged.save()
    is_refused(bob, shared_image)


@pytest.mark.attack("B12")
def test_every_alteration_reads_the_same(shared_image, bob):
    grant = Grant.objects.get(image=shared_image, reader=bob.user)
    answers = []
    for spoil, mend in (
        (lambda: spoil_row(grant, "salt"), lambda: grant.save()),
        (lambda: spoil_row(grant.wrapped_key, "oaep_bytes"), lambda: grant.wrapped_key.save()),
        (lambda: spoil_row(shared_image, "lock"), lambda: shared_image.save()),
    ):
        spoil()
        answers.append(is_refused(bob, shared_image))
        mend()
    assert answers[0] == answers[1] == answers[2]
    steps = AuditEntry.objects.filter(event="image:altered")
    assert len({bytes(entry.leaf).split(b'"step":')[1] for entry in steps}) == 3


def spoil_row(row, column):
    value = getattr(row, column)
    spoilt = value + 1 if isinstance(value, int) else flipped(value)
    type(row).objects.filter(pk=row.pk).update(**{column: spoilt})


def test_an_altered_image_does_not_spoil_the_list(shared_image, upload, bob):
    upload(to=(bob,), caption="A good one")
    Statement.objects.filter(subject=shared_image.pk, kind="manifest").delete()
    answer = bob.sign_in().get("/images/", headers=JSON)
    assert sorted(card["state"] for card in answer.json()["images"]) == ["altered", "verified"]
    assert bob.client.get("/images/").status_code == 200


# ---- what is recorded ------------------------------------------------------------------------


def test_openings_are_recorded_before_the_bytes_and_repeats_are_folded(shared_image, bob):
    for _ in range(3):
        get(bob, shared_image, "preview")
        get(bob, shared_image, "original")
    events = AuditEntry.objects.filter(actor=bob.user.pk, subject=shared_image.pk)
    assert events.filter(event="image:opened").count() == 1
    assert events.filter(event="image:downloaded").count() == 1


def test_a_page_of_thumbnails_is_one_entry(upload, bob):
    images = [upload(to=(bob,)) for _ in range(3)]
    client = bob.sign_in()
    client.get("/images/")
    for image in images:
        assert client.get(f"/images/{image.pk}/thumbnail").status_code == 200
    assert AuditEntry.objects.filter(actor=bob.user.pk, event="thumbnails:opened").count() == 1


# ---- each check by itself --------------------------------------------------------------------

# Several checks would refuse most of these. The step says which one did: each must stand alone.


def is_refused_at(step, person, image):
    is_refused(person, image)
    entry = AuditEntry.objects.filter(event="image:altered", subject=image.pk).last()
    assert entry.parsed().facts["step"] == step


@pytest.mark.attack("B5", "B9")
def test_a_key_that_somebody_else_wrapped_is_not_the_committed_one(shared_image, bob):
    """Anybody who can write to the database can wrap a key of their own: public keys are public."""
    wrapped = WrappedKey.objects.get(key_pair__user=bob.user)
    label = content_key_label(wrapped.key_pair, subject=shared_image.pk, lock=1)
    forged = wrap(bytes(32), verified_encryption_key(wrapped.key_pair), label=label)
    WrappedKey.objects.filter(pk=wrapped.pk).update(oaep_bytes=forged, quick_key=None)
    is_refused_at("commitment", bob, shared_image)


def test_a_quick_key_that_is_not_the_committed_one_is_passed_over(shared_image, bob):
    keyring = open_with_password(bob.user, PASSWORD)
    other = keyring.wrap_quick_key(bytes(32), subject=shared_image.pk, lock=1)
    WrappedKey.objects.filter(key_pair__user=bob.user).update(quick_key=other)
    assert get(bob, shared_image, "preview").status_code == 200


def test_a_wrapped_key_with_its_quick_key_moved_here_is_out_of_place(upload, bob):
    here, there = upload(to=(bob,)), upload(to=(bob,))
    assert get(bob, there, "preview").status_code == 200  # writes the quick key
    theirs = WrappedKey.objects.get(key_pair__user=bob.user, subject=there.pk)
    Grant.objects.filter(image=there, reader=bob.user).update(wrapped_key=None)
    Grant.objects.filter(image=here, reader=bob.user).update(wrapped_key=theirs)
    is_refused_at("wrapped-key", bob, here)


def test_another_lock_in_the_row_is_not_the_manifests(shared_image, bob):
    SealedImage.objects.update(lock=2)
    WrappedKey.objects.update(lock=2)
    is_refused_at("manifest-lock", bob, shared_image)


@pytest.mark.parametrize("kind", ["manifest", "share"])
def test_a_statement_about_another_image_is_none_about_this_one(upload, bob, kind):
    here, there = upload(to=(bob,)), upload(to=(bob,))
    theirs = Statement.objects.get(kind=kind, subject=there.pk)
    Statement.objects.filter(kind=kind, subject=here.pk).update(
        body=theirs.body, signature=theirs.signature
    )
    is_refused_at(kind, bob, here)


@pytest.mark.attack("D3")
def test_an_older_statement_under_a_newer_number_is_not_the_newest(shared_image, alice, bob):
    address = f"/images/{shared_image.pk}/share/"
    alice.client.post(address, {"recipients": ["bob"], "rights": "view"})
    first = Statement.objects.get(kind="share", sequence=1)
    Statement.objects.filter(kind="share", sequence=2).update(
        body=first.body, signature=first.signature
    )
    is_refused_at("share", bob, shared_image)


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("Skin check (3)", 'filename="skin-check-03.jpg"'),
        ("Skin check (12)", 'filename="skin-check-12.jpg"'),
        ("Room 2007", 'filename="room-2007.jpg"'),
        ("../.. / CON: \u202egpj", 'filename="con-gpj.jpg"'),
        ("été à l’île 1", "filename*=utf-8''%C3%A9t%C3%A9-%C3%A0-l%C3%AEle-01.jpg"),
    ],
)
def test_an_original_is_saved_under_its_caption_for_owner_and_reader(
    upload, alice, bob, caption, name
):
    image = upload(to=(bob,), caption=caption)
    for person in (alice, bob):
        answer = person.sign_in().get(f"/images/{image.pk}/original")
        assert answer["Content-Disposition"] == f"attachment; {name}"
        assert person.client.get(f"/images/{image.pk}/preview")["Content-Disposition"] == "inline"


@pytest.mark.parametrize("caption", ["", "…!?"])
def test_without_letters_in_its_caption_it_has_a_neutral_name(upload, alice, bob, caption):
    image = upload(to=(bob,), caption=caption)
    for person in (alice, bob):
        answer = person.sign_in().get(f"/images/{image.pk}/original")
        assert f'filename="image-{str(image.pk)[:8]}.jpg"' in answer["Content-Disposition"]
