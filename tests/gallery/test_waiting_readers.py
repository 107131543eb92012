"""After a new start owners are asked, see whose key to compare, and share again with one press."""

import pytest

from accounts.fingerprints import words
from accounts.keys.certificates import signing_pair_of
from accounts.models import KeyPair, User, WrappedKey
from accounts.services.rotating.ordering import order_after_theft
from gallery.models import Grant, Statement
from gallery.services import resharing, sharing
from gallery.services.revoking import relock, revoke
from tests.accounts.test_new_start import make_new_start
from tests.gallery.test_notices import shown
from tests.gallery.test_revoking import post_revoke

JSON = {"accept": "application/json"}
ADDRESS = "/images/waiting/"


def waiting(owner):
    return owner.sign_in().get(ADDRESS, headers=JSON).json()["waiting"]


def share_again(owner, name="bob"):
    shown = {one["username"]: one["fingerprint"] for one in waiting(owner)}
    form = {"reader": name, "fingerprint": shown.get(name) or ""}
    return owner.client.post(ADDRESS, form, headers=JSON)


def test_nobody_waits_for_anybody_at_first(shared_image, alice):
    assert waiting(alice) == []
    assert share_again(alice).status_code == 404


def test_the_owner_sees_who_is_waiting_and_which_key_to_compare(shared_image, upload, alice, bob):
    upload(to=(bob,))
    make_new_start(bob)
    (reader,) = waiting(alice)
    assert reader == {
        "username": "bob",
        "display_name": "Bob Brook",
        "images": 2,
        "albums": 0,
        "fingerprint": signing_pair_of(bob.user.pk).fingerprint,
        "endorsed": False,
        "can_receive": True,
    }
    for address in ("/images/", "/images/mine/"):
        assert "is waiting for access" in alice.client.get(address).content.decode()
    page = alice.client.get(ADDRESS).content.decode()
    for word in words(reader["fingerprint"]):
        assert f"<li>{word}</li>" in page


def test_one_press_shares_all_of_them_again(shared_image, upload, alice, bob):
    second = upload(to=(bob,))
    client = make_new_start(bob)
    statements = Statement.objects.count()
    assert share_again(alice).json() == {"shared_again": 2, "left": 0, "closed": 0}
    for image in (shared_image, second):
        assert client.get(f"/images/{image.pk}/original").status_code == 200
    assert Statement.objects.count() == statements  # the list named bob already
    assert waiting(alice) == []


def test_a_key_that_changed_since_the_page_was_shown_is_not_wrapped_to(shared_image, alice, bob):
    make_new_start(bob)
    form = {"reader": "bob", "fingerprint": "0" * 64}
    answer = alice.sign_in().post(ADDRESS, form, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_changed")
    assert waiting(alice)[0]["images"] == 1


def test_the_reader_is_notified(shared_image, alice, bob):
    client = make_new_start(bob)
    share_again(alice)
    notices = client.get("/activity/", headers=JSON).json()["notices"]
    assert [(one["kind"], one["state"]) for one in notices] == [("shared", "genuine")] * 2


@pytest.mark.parametrize("who", ["carol", "mallory"])
def test_only_the_owner_shares_again(shared_image, upload, alice, bob, carol, mallory, who):
    make_new_start(bob)
    stranger = {"carol": carol, "mallory": mallory}[who]
    assert waiting(stranger) == []
    assert share_again(stranger).status_code == 404


def test_nobody_is_asked_to_share_again_with_somebody_disabled(shared_image, alice, bob):
    make_new_start(bob)
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    assert waiting(alice) == []
    for address in ("/images/", "/images/mine/"):
        assert "is waiting for access" not in alice.client.get(address).content.decode()


def test_a_former_reader_does_not_get_access_again(shared_image, alice, bob):
    post_revoke(alice, shared_image)
    make_new_start(bob)
    assert waiting(alice) == []
    assert share_again(alice).status_code == 404


def test_a_row_nobody_signed_is_not_shared_again(shared_image, alice, bob, carol):
    """Anybody who writes to the database names carol in bob's place, and her key as lost."""
    Grant.objects.filter(reader=bob.user).update(reader=carol.user, wrapped_key=None)
    assert share_again(alice, "carol").json() == {"shared_again": 0, "left": 0, "closed": 1}
    assert Grant.objects.get(reader=carol.user).wrapped_key is None


def test_a_key_nobody_certified_is_not_wrapped_to(shared_image, alice, bob, mallory):
    make_new_start(bob)
    theirs = KeyPair.objects.get(user=mallory.user, purpose="encryption")
    KeyPair.objects.filter(pk=theirs.pk).delete()
    newest = KeyPair.objects.get(user=bob.user, purpose="encryption", state="primary")
    KeyPair.objects.filter(pk=newest.pk).update(
        public_key=bytes(theirs.public_key), fingerprint=theirs.fingerprint
    )
    (reader,) = waiting(alice)
    assert reader["can_receive"] is False
    assert share_again(alice).status_code == 409


def test_what_the_owner_cannot_open_either_is_counted_and_left(shared_image, alice, bob):
    make_new_start(bob)
    alices = make_new_start(alice)
    shown = alices.get(ADDRESS, headers=JSON).json()["waiting"][0]["fingerprint"]
    answer = alices.post(ADDRESS, {"reader": "bob", "fingerprint": shown}, headers=JSON)
    assert answer.json() == {"shared_again": 0, "left": 0, "closed": 1}


def coming_between(monkeypatch, act) -> None:
    """Let `act` happen once, after the list of waiting readers was read and before a key is
    wrapped."""
    acts, wrap = [act], resharing.wrap_to

    def wrap_after_it(*arguments, **options):
        if acts:
            acts.pop()()
        return wrap(*arguments, **options)

    monkeypatch.setattr(resharing, "wrap_to", wrap_after_it)


def test_an_image_encrypted_again_meanwhile_is_shared_under_its_new_lock(
    shared_image, upload, alice, bob, monkeypatch
):
    upload(to=(bob,))
    client = make_new_start(bob)
    coming_between(monkeypatch, lambda: relock(keyring=alice.keyring, image_id=shared_image.pk))
    assert share_again(alice).json() == {"shared_again": 1, "left": 0, "closed": 0}
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 200
    assert WrappedKey.objects.filter(subject=shared_image.pk).count() == 2
    assert waiting(alice) == []


def test_a_reader_revoked_meanwhile_does_not_get_access_again(
    shared_image, alice, bob, monkeypatch
):
    client = make_new_start(bob)
    act = {"keyring": alice.keyring, "image_id": shared_image.pk, "recipient": bob.user}
    coming_between(monkeypatch, lambda: revoke(**act))
    assert share_again(alice).json() == {"shared_again": 0, "left": 0, "closed": 0}
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 410
    assert WrappedKey.objects.filter(subject=shared_image.pk).count() == 1


def test_terms_that_change_meanwhile_are_kept(shared_image, alice, bob, monkeypatch):
    client = make_new_start(bob)
    form = {"recipients": ["bob"], "rights": "view"}
    address = f"/images/{shared_image.pk}/share/"
    coming_between(monkeypatch, lambda: alice.client.post(address, form, headers=JSON))
    assert share_again(alice).status_code == 200
    grant = Grant.objects.get(reader=bob.user)
    assert (grant.rights, waiting(alice)) == ("view", [])
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 403


@pytest.mark.attack("B5", "B6")
@pytest.mark.parametrize("listed", ["as the reader's", "as of the secret image"])
def test_a_row_altered_after_it_was_listed_gives_a_reader_no_key_of_another_image(
    shared_image, upload, alice, bob, carol, monkeypatch, listed
):
    """For the list somebody writes a row that nobody signed; then it is again as it was signed."""
    secret = upload(to=(carol,))
    make_new_start(bob)
    if listed == "as the reader's":
        row = Grant.objects.get(reader=carol.user, image=secret)
        as_signed, as_listed = {"reader": carol.user}, {"reader": bob.user, "wrapped_key": None}
    else:
        row = Grant.objects.get(reader=bob.user, image=shared_image)
        as_signed, as_listed = {"image": shared_image}, {"image": secret}
    rows, real = Grant.objects.filter(pk=row.pk), resharing.owners_access
    rows.update(**as_listed)

    def put_back(keyring, image_id):
        rows.update(**as_signed)
        return real(keyring, image_id)

    monkeypatch.setattr(resharing, "owners_access", put_back)
    assert share_again(alice).status_code == 200
    assert not WrappedKey.objects.filter(subject=secret.pk, key_pair__user=bob.user).exists()


def share_again_with(alice, bob):
    resharing.share_again(keyring=alice.keyring, person=User.objects.get(pk=bob.user.pk))


@pytest.mark.parametrize("waits", ["on keys from before", "without any key"])
def test_pressed_twice_at_once_it_is_done_once(shared_image, alice, bob, monkeypatch, waits):
    client = make_new_start(bob)
    if waits == "without any key":
        take_the_key_of(bob)
    coming_between(monkeypatch, lambda: share_again_with(alice, bob))
    assert share_again(alice).json() == {"shared_again": 0, "left": 0, "closed": 0}
    assert client.get(f"/images/{shared_image.pk}/original").status_code == 200
    assert WrappedKey.objects.filter(key_pair__user=bob.user).count() == 1


def take_the_key_of(person) -> None:
    """As an owner's act does that cannot know whose keys have changed."""
    Grant.objects.filter(reader=person.user).update(wrapped_key=None)
    WrappedKey.objects.filter(key_pair__user=person.user).delete()


@pytest.mark.parametrize("waits", ["on keys from before", "without any key"])
def test_shared_again_while_the_terms_change_keeps_both(
    shared_image, alice, bob, monkeypatch, waits
):
    client = make_new_start(bob)
    if waits == "without any key":
        take_the_key_of(bob)
    acts, sign_statement = [share_again_with], sharing.sign_statement

    def sign_after_it(*arguments, **options):
        if acts:
            acts.pop()(alice, bob)
        return sign_statement(*arguments, **options)

    monkeypatch.setattr(sharing, "sign_statement", sign_after_it)
    form = {"recipients": ["bob"], "rights": "view"}
    answer = alice.client.post(f"/images/{shared_image.pk}/share/", form, headers=JSON)
    assert (answer.status_code, waiting(alice)) == (200, [])
    assert Grant.objects.get(reader=bob.user).rights == "view"
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    assert WrappedKey.objects.filter(key_pair__user=bob.user).count() == 1


def test_a_locked_owner_unlocks_first(shared_image, alice, bob):
    make_new_start(bob)
    alice.sign_in().post("/accounts/lock/")
    assert alice.client.post(ADDRESS, {"reader": "bob"}, headers=JSON).status_code == 401
    assert shown(alice) == []


@pytest.mark.attack("F41")
@pytest.mark.parametrize("done_before", [0, 1])
def test_a_theft_ordered_while_it_goes_on_lets_the_others_wait(
    shared_image, upload, alice, bob, monkeypatch, done_before
):
    upload(to=(bob,))
    make_new_start(bob)
    real, calls = resharing._share_again_once, []

    def overtaken(*arguments):
        if len(calls) == done_before:
            order_after_theft(User.objects.get(pk=bob.user.pk))
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(resharing, "_share_again_once", overtaken)
    answer = share_again(alice)
    if done_before:
        assert answer.json() == {"shared_again": 1, "left": 1, "closed": 0}
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "no_keys")
    to_new = WrappedKey.objects.filter(key_pair__user=bob.user, key_pair__master_key_version=2)
    assert to_new.count() == done_before
