"""Older, genuine states of an image put back: each kind of row alone, in pairs, and all of it.

Signatures and digests of an older state are all in order; only the trail knows that it is not the
newest. Whatever is put back, nobody opens what they no longer may, the owner's next act wraps
nothing to a removed reader, and `verify_images` names it.
"""

import io
from dataclasses import dataclass

import pytest

from accounts.models import WrappedKey
from audit import events
from audit.events import Event
from audit.models import AuditEntry
from gallery import sealing
from gallery.heads import Heads
from gallery.image_trail import ImageTrails
from gallery.models import SealedImage, Statement
from gallery.services import acts, revoking, uploading
from gallery.verification.images import ImageCheck
from tests.conftest import jpeg
from tests.gallery.older_states import State, subsets
from tests.worlds import World

JSON = {"accept": "application/json"}
PICTURE = jpeg()


@dataclass
class Scene:
    """alice owns; bob may download, then not; carol keeps what she has until the last act."""

    alice: object
    bob: object
    carol: object
    dave: object

    def upload(self):
        file = io.BytesIO(PICTURE)
        file.name = "x.jpg"
        form = {"images": [file], "recipients": ["bob", "carol"], "keep_details": "1"}
        answer = self.alice.client.post("/images/upload/", form, headers=JSON)
        return SealedImage.objects.get(pk=answer.json()["images"][0]["id"])

    def post(self, image, verb, **form):
        answer = self.alice.client.post(f"/images/{image.pk}/{verb}/", form, headers=JSON)
        assert answer.status_code == 200, answer.content

    def share(self, image):
        self.post(image, "share", recipients="dave")

    def change(self, image):
        self.post(image, "share", recipients="bob", rights="view")

    def revoke(self, image):
        self.post(image, "revoke", recipient="bob")

    def relock(self, image):
        revoking.relock(keyring=self.alice.keyring, image_id=image.pk)

    def status(self, person, image, what):
        answer = person.client.get(f"/images/{image.pk}/{what}")
        if answer.status_code == 200 and what == "original":
            assert b"".join(answer) == PICTURE
        assert answer.status_code in (200, 403, 409, 410)
        return answer.status_code


@pytest.fixture
def scene(alice, bob, carol, make_person):
    dave = make_person("dave", "Dave Dale")
    for person in (alice, bob, carol, dave):
        person.sign_in()
    return Scene(alice, bob, carol, dave)


def is_found(image) -> bool:
    return bool(list(ImageCheck([image.pk], reads_bytes=True).check(image.pk)))


# What bob must not get any more after it.
ACTS = {"share": (), "change": ("original",), "revoke": ("original", "preview"), "relock": ()}


def states_put_back(scene, act):
    """Yield an image again and again, of which other kinds of rows were put back each time."""
    image = scene.upload()
    before = State.of(image)
    getattr(scene, act)(image)
    now, after = State.of(image), World.now()
    for names in subsets():
        if any(before.values(name) != now.values(name) for name in names):
            after.put_back()
            before.put_back(names)
            yield image, names


@pytest.mark.attack("F1")
@pytest.mark.parametrize("act", ACTS)
def test_no_older_state_put_back_after_an_act_counts(scene, act, capsys):
    bad, tried = [], 0
    for image, names in states_put_back(scene, act):
        tried += 1
        opened = [what for what in ACTS[act] if scene.status(scene.bob, image, what) == 200]
        # Who was added, and whose wrapped key alone is gone, waits; their owner is shown it.
        waits = act == "share" and "wrapped keys" in names and "grants" not in names
        if opened or not (is_found(image) or waits):
            bad.append((names, opened))
    with capsys.disabled():
        print(f"\n{act}: older states put back {tried}, opened or not found {len(bad)}")
    assert not bad
    assert tried >= 9


@pytest.mark.attack("F1")
@pytest.mark.parametrize("act", ["change", "revoke"])
def test_the_owners_next_act_brings_no_older_state_back_to_life(scene, act, capsys):
    """Taking carol's access back encrypts the image again, for everybody who is then on the
    list."""
    bad, tried, refused = [], 0, 0
    for image, names in states_put_back(scene, act):
        tried += 1
        form = {"recipient": "carol"}
        answer = scene.alice.client.post(f"/images/{image.pk}/revoke/", form, headers=JSON)
        assert answer.status_code in (200, 409)
        refused += answer.status_code == 409
        lock = SealedImage.objects.get(pk=image.pk).lock
        wrapped = WrappedKey.objects.filter(subject=image.pk, key_pair__user=scene.bob.user)
        is_wrapped = answer.status_code == 200 and wrapped.filter(lock=lock).exists()
        opened = [what for what in ACTS[act] if scene.status(scene.bob, image, what) == 200]
        if opened or (act == "revoke" and is_wrapped):
            bad.append((names, opened, is_wrapped))
    with capsys.disabled():
        print(f"\n{act}, then another act: tried {tried}, refused {refused}, bad {len(bad)}")
    assert not bad
    assert refused


# ---- each rule by itself ---------------------------------------------------------------------


def step_of(image) -> str:
    entry = AuditEntry.objects.filter(event="image:altered", subject=image.pk).latest("sequence")
    return entry.parsed().facts["step"]


def take_newest_away(image, kind="share"):
    Statement.objects.filter(subject=image.pk, kind=kind).latest("sequence").delete()


@pytest.mark.attack("F2")
@pytest.mark.parametrize("kind", ["share", "manifest"])
def test_an_image_of_which_the_trail_says_nothing_is_altered(scene, kind, monkeypatch):
    """As if somebody had made it behind everybody's back, with a stolen signing key."""
    monkeypatch.setattr(acts, "facts_of", lambda signed: {})
    image = scene.upload()
    assert scene.status(scene.bob, image, "preview") == 409
    assert step_of(image).endswith("-not-newest")


def test_an_act_under_an_event_that_is_not_asked_about_signs_nothing(shared_image):
    share = Statement.objects.get(kind="share", subject=shared_image.pk)
    act = acts.owners_act(Event.IMAGE_OPENED, shared_image, signed=[share])
    with pytest.raises(ValueError, match="SIGNED_AT"), act:
        pytest.fail("the act went on")
    assert not AuditEntry.objects.filter(event="image:opened").exists()


def without_numbers(signed):
    """What entries said before they said numbers."""
    return {statement.kind: statement.digest for statement in signed}


def without_share(*arguments, **options):
    fields = sealing.manifest_fields(*arguments, **options)
    return {name: value for name, value in fields.items() if name != "share"}


@pytest.fixture
def as_before(monkeypatch):
    """Let acts record and sign as they did before numbers and the share of a manifest."""
    monkeypatch.setattr(acts, "facts_of", without_numbers)
    for module in (uploading, revoking):
        monkeypatch.setattr(module, "manifest_fields", without_share)
    return monkeypatch


@pytest.mark.attack("F3")
def test_older_images_open_are_shared_revoked_and_verify(scene, as_before):
    image = scene.upload()
    scene.share(image)
    scene.change(image)
    assert [scene.status(p, image, "preview") for p in (scene.bob, scene.dave)] == [200, 200]
    assert not is_found(image)
    as_before.undo()
    scene.revoke(image)
    assert [scene.status(p, image, "preview") for p in (scene.bob, scene.dave)] == [410, 200]
    assert not is_found(image)


@pytest.mark.attack("F3")
@pytest.mark.parametrize("act", ["change", "revoke"])
def test_older_states_of_older_images_are_refused_too(scene, as_before, act):
    image = scene.upload()
    before = State.of(image)
    getattr(scene, act)(image)
    before.put_back()
    assert all(scene.status(scene.bob, image, what) == 409 for what in ACTS[act])
    assert is_found(image)


@pytest.mark.attack("F3")
def test_an_older_state_is_refused_after_acts_that_recorded_their_numbers(scene, as_before):
    image = scene.upload()
    before = State.of(image)
    scene.share(image)
    as_before.undo()
    scene.revoke(image)
    before.put_back()
    assert scene.status(scene.bob, image, "preview") == 409
    assert is_found(image)


@pytest.mark.attack("F3", "F4")
def test_the_first_act_with_a_number_on_an_older_image_may_lose_its_end(
    scene, as_before, monkeypatch
):
    image = scene.upload()
    as_before.undo()
    with monkeypatch.context() as lost:
        lost.setattr(events, "record_after", lambda *arguments, **options: None)
        scene.share(image)
    assert [scene.status(p, image, "preview") for p in (scene.bob, scene.dave)] == [200, 200]
    assert not is_found(image)


@pytest.mark.attack("F1")
def test_a_list_of_readers_older_than_the_manifest_is_refused(scene):
    """The share statement alone is put back, and the trail's number of it is forgotten, too."""
    image = scene.upload()
    scene.revoke(image)
    image.refresh_from_db()
    opener = Heads()
    share, manifest = opener.newest("share", image), opener.newest("manifest", image)
    trail = ImageTrails().of(image.pk)
    assert trail.allows_together(manifest, share.digest, share)
    older = Statement.objects.get(subject=image.pk, kind="share", sequence=1)
    assert not trail.allows_together(manifest, share.digest, older)
    assert not trail.allows_together(manifest, older.digest, share)


@pytest.mark.attack("F1")
@pytest.mark.parametrize("verb", ["share", "revoke"])
def test_an_owner_signs_nothing_upon_a_chain_with_a_gap(scene, verb):
    image = scene.upload()
    scene.change(image)
    scene.share(image)
    Statement.objects.get(subject=image.pk, kind="share", sequence=2).delete()
    form = {"recipients": "carol", "rights": "view", "recipient": "carol"}
    answer = scene.alice.client.post(f"/images/{image.pk}/{verb}/", form, headers=JSON)
    assert answer.status_code == 409
    assert step_of(image) == "share-chain"
    assert is_found(image)


@pytest.mark.attack("D3", "F1")
def test_a_deleted_image_put_back_opens_nothing(scene):
    image = scene.upload()
    before = State.of(image)
    scene.post(image, "delete")
    before.put_back()
    for person in (scene.alice, scene.bob):
        assert scene.status(person, image, "preview") == 409
    assert is_found(image)


def test_a_page_of_altered_images_shows_each_as_altered(scene):
    images = [scene.upload() for _ in range(3)]
    for image in images[:2]:
        scene.change(image)
        take_newest_away(image)
    cards = scene.bob.client.get("/images/", headers=JSON).json()["images"]
    assert sorted(card["state"] for card in cards) == ["altered", "altered", "verified"]


# ---- an act between two looks, or without its end ---------------------------------------------


@pytest.mark.parametrize("when", ["before the trail is asked", "after"])
def test_an_act_that_comes_between_reading_and_asking_alters_nothing(scene, monkeypatch, when):
    image, asked = scene.upload(), ImageTrails.ask

    def in_between(trails, image_ids):
        monkeypatch.setattr(ImageTrails, "ask", asked)
        if when == "after":
            asked(trails, image_ids)
        scene.share(image)
        if when != "after":
            asked(trails, image_ids)

    monkeypatch.setattr(ImageTrails, "ask", in_between)
    assert scene.status(scene.bob, image, "preview") == 200
    assert not AuditEntry.objects.filter(event="image:altered").exists()


@pytest.mark.attack("F4")
def test_an_act_whose_end_the_table_did_not_take_closes_no_image(scene, monkeypatch):
    image = scene.upload()
    with monkeypatch.context() as lost:
        lost.setattr(events, "record_after", lambda *arguments, **options: None)
        scene.change(image)
    assert scene.status(scene.bob, image, "preview") == 200
    assert scene.status(scene.bob, image, "original") == 403
    assert not is_found(image)
    scene.revoke(image)
    assert scene.status(scene.bob, image, "preview") == 410
