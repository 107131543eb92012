"""The addresses of albums, for people and for scripts."""

import io
import uuid
import zipfile

import pytest

from accounts.models import WrappedKey
from audit.models import AuditEntry
from gallery.errors import HeadMoved
from gallery.models import Circle, Member, Placement, SealedImage
from gallery.services import many
from gallery.services.circles import placing
from gallery.services.uploading import Terms
from tests.conftest import jpeg
from tests.gallery.test_query_counts import queries
from tests.gallery.test_uploading import file

JSON = {"accept": "application/json"}
ACTS = ["edit", "share", "revoke", "delete"]
FORM = {
    "title": "Sea",
    "recipients": "mallory",
    "recipient": "bob",
}


@pytest.fixture
def post(alice):
    alice.sign_in()

    def send(verb: str, *, by=alice, **form):
        return by.client.post(f"/albums/{verb}/", form, headers=JSON)

    return send


def get(person, address, **options):
    return person.sign_in().get(address, **options)


# ---- making and listing ----------------------------------------------------------------------


def test_an_album_is_made_filled_shared_and_opened(post, upload, alice, bob):
    image = upload(caption="At the lake")
    made = post("new", title="Lake", description="Summer", members_add="1")
    assert made.status_code == 201
    album = made.json()["id"]
    added = post(f"{album}/add", images=str(image.pk)).json()
    about = {"id": album, "url": f"/albums/{album}/"}
    done = [{"image": str(image.pk), "outcome": "placed"}]
    assert added == {**about, "done": done, "left": []}
    shared = post(f"{album}/share", recipients="bob").json()
    assert shared == {
        "added": ["bob"],
        "changed": [],
        "unchanged": [],
        "waiting": [],
        "invited": [],
        "teams": [],
    }
    (listed,) = get(bob, "/albums/", headers=JSON).json()["albums"]
    assert (listed["title"], listed["images"], listed["state"]) == ("Lake", 1, "verified")
    page = bob.client.get(f"/albums/{album}/", headers=JSON).json()
    assert (page["title"], page["description"], page["total"]) == ("Lake", "Summer", 1)
    assert (page["may_add"], "people" in page) == (True, False)
    (card,) = page["images"]
    assert (card["caption"], card["state"], card["new"]) == ("At the lake", "verified", True)
    assert bob.client.get(f"/images/{image.pk}/original").status_code == 200
    people = alice.client.get(f"/albums/{album}/", headers=JSON).json()["people"]
    assert [person["username"] for person in people] == ["bob"]
    assert bob.client.get("/images/", headers=JSON).json()["images"] == []


def test_the_pages_show_it_to_people(album, image, alice, bob):
    page = get(bob, f"/albums/{album.pk}/").content.decode()
    assert "<h1>Lake</h1>" in page
    assert "Summer at the lake" in page
    assert f"/images/{image.pk}/thumbnail" in page
    assert "Who can open this album" not in page
    assert "Lake" in bob.client.get("/albums/").content.decode()
    assert f'href="/albums/{album.pk}/"' in get(bob, f"/images/{image.pk}/").content.decode()
    page = get(alice, f"/albums/{album.pk}/").content.decode()
    assert "Who can open this album" in page
    assert "Bob Brook" in page
    mine = alice.client.get("/images/mine/").content.decode()
    assert "In an album" in mine
    assert mine.count("Not shared yet") == 1  # the filter of that name
    panel = alice.client.get(f"/images/{image.pk}/").content.decode()
    assert "Take it out of the album" in panel
    facts = alice.client.get(f"/images/{image.pk}/", headers=JSON).json()
    assert [(one["title"], one["waiting"]) for one in facts["albums"]] == [("Lake", False)]


def test_locked_there_is_a_list_without_titles_and_no_album(album, bob):
    client = bob.sign_in()
    client.post("/accounts/lock/")
    (listed,) = client.get("/albums/", headers=JSON).json()["albums"]
    assert (listed["title"], listed["state"]) == ("", "locked")
    assert client.get("/albums/").status_code == 200
    assert client.get(f"/albums/{album.pk}/").status_code == 302
    assert client.get(f"/albums/{album.pk}/", headers=JSON).json()["code"] == "locked"
    assert client.post(f"/albums/{album.pk}/zip/").status_code == 401


def test_titles_and_lists_are_on_record_before_they_are_shown(album, bob, client):
    bob.sign_in()
    before = AuditEntry.objects.filter(event="album:opened", actor=bob.user.pk).count()
    for _ in range(2):
        bob.client.get(f"/albums/{album.pk}/")
    bob.client.get("/albums/")
    said = AuditEntry.objects.filter(event="album:opened", actor=bob.user.pk)
    assert said.count() == before + 2  # the second look is folded
    assert said.last().parsed().facts == {"albums": [str(album.pk)]}


def test_without_an_album_of_ones_own_the_list_says_so(alice):
    assert b"No albums yet" in get(alice, "/albums/").content


@pytest.mark.parametrize("form", [{}, {"title": " "}, {"title": "x" * 201}])
def test_a_title_is_needed(post, alice, form):
    answer = post("new", **form)
    assert answer.status_code == 422
    assert "title" in answer.json()["errors"]
    assert alice.client.post("/albums/new/", form).status_code == 422
    assert not Circle.objects.exists()


def test_without_a_recovery_code_nobody_makes_one(make_person):
    dora = make_person("dora", with_code=False)
    answer = dora.sign_in().post("/albums/new/", {"title": "x"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "recovery_code_needed")


# ---- who may ---------------------------------------------------------------------------------


@pytest.mark.attack("F104")
@pytest.mark.parametrize("verb", ACTS)
@pytest.mark.parametrize(("who", "status"), [("mallory", 404), ("bob", 403), ("carol", 410)])
def test_only_its_owner_acts_on_an_album(
    album, post, alice, bob, carol, mallory, verb, who, status
):
    album.share(carol)
    post(f"{album.pk}/revoke", recipient="carol")
    person = {"mallory": mallory, "bob": bob, "carol": carol}[who]
    person.sign_in()
    answer = post(f"{album.pk}/{verb}", by=person, **FORM)
    assert answer.status_code == status
    assert get(bob, f"/albums/{album.pk}/").status_code == 200
    refused = AuditEntry.objects.filter(event="album:refused", actor=person.user.pk)
    assert refused.exists()


@pytest.mark.attack("F104")
@pytest.mark.parametrize("verb", ["add", "remove", "zip"])
def test_a_strangers_image_or_album_is_answered_as_absent(album, image, post, mallory, verb):
    mallory.sign_in()
    there = post(f"{album.pk}/{verb}", by=mallory, images=str(image.pk))
    absent = post(f"{uuid.uuid4()}/{verb}", by=mallory, images=str(uuid.uuid4()))
    assert there.status_code == absent.status_code == 404
    assert there.json() == absent.json()


@pytest.mark.attack("F102")
def test_a_stranger_gets_the_answer_for_an_absent_album_and_a_former_member_another(
    album, post, bob, mallory
):
    there = get(mallory, f"/albums/{album.pk}/", headers=JSON)
    absent = mallory.client.get(f"/albums/{uuid.uuid4()}/", headers=JSON)
    assert there.status_code == absent.status_code == 404
    assert there.json() == absent.json()
    answer = post(f"{album.pk}/revoke", recipient="bob")
    assert answer.json()["recipient"] == "bob"
    gone = get(bob, f"/albums/{album.pk}/", headers=JSON)
    assert (gone.status_code, gone.json()["code"]) == (410, "access_ended")
    assert bob.client.get(f"/albums/{album.pk}/").status_code == 410
    assert bob.client.get("/albums/", headers=JSON).json()["albums"] == []


@pytest.mark.parametrize("verb", [*ACTS, "add", "remove", "zip"])
def test_asking_by_get_is_refused(album, alice, verb):
    assert get(alice, f"/albums/{album.pk}/{verb}/").status_code == 405


@pytest.mark.attack("F106")
def test_an_altered_album_is_409_on_its_page_and_in_the_list(album, bob):
    Member.objects.filter(reader=bob.user).update(salt=bytes(32))
    answer = get(bob, f"/albums/{album.pk}/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")
    (listed,) = bob.client.get("/albums/", headers=JSON).json()["albums"]
    assert (listed["state"], listed["title"]) == ("altered", "")
    altered = AuditEntry.objects.filter(event="album:altered", actor=bob.user.pk).first()
    assert altered.parsed().facts == {"step": "member"}


# ---- acts ------------------------------------------------------------------------------------


def test_it_is_changed_and_deleted(album, post, image, alice, bob):
    changed = post(f"{album.pk}/edit", title="Sea", description="Cold", members_add="1")
    assert changed.json() == {"title": "Sea", "description": "Cold", "members_add": True}
    assert get(bob, f"/albums/{album.pk}/", headers=JSON).json()["title"] == "Sea"
    assert post(f"{album.pk}/edit", title="").status_code == 422
    assert alice.client.post(f"/albums/{album.pk}/edit/", {"title": ""}).status_code == 422
    assert post(f"{album.pk}/delete").json() == {"deleted": str(album.pk)}
    assert bob.client.get(f"/albums/{album.pk}/", headers=JSON).status_code == 410
    assert alice.client.get(f"/images/{image.pk}/original").status_code == 200


def test_taking_a_member_out_locks_ones_own_images_anew_at_once(
    album, post, image, alice, emptied_storage
):
    answer = post(f"{album.pk}/revoke", recipient="bob")
    assert answer.json()["to_relock"] == 0
    assert SealedImage.objects.get(pk=image.pk).lock == 2


def test_the_panel_says_how_many_images_wait_for_a_new_lock_and_whose(
    make, post, alice, bob, carol, upload, emptied_storage
):
    bob.sign_in()
    album = make(alice, members_add=True)
    album.share(bob, carol)
    answer = bob.client.post(
        "/images/upload/", {"images": [file(jpeg())], "album": str(album.pk)}, headers=JSON
    )
    assert answer.json()["not_in_album"] == []
    assert post(f"{album.pk}/revoke", recipient="carol").json()["to_relock"] == 1
    page = alice.client.get(f"/albums/{album.pk}/", headers=JSON).json()
    assert page["to_relock"] == [
        {"username": "bob", "display_name": "Bob Brook", "is_owner": False, "images": 1}
    ]
    assert b"still wait for a new lock" in alice.client.get(f"/albums/{album.pk}/").content
    bob.client.get("/albums/")
    assert alice.client.get(f"/albums/{album.pk}/", headers=JSON).json()["to_relock"] == []


@pytest.mark.parametrize("recipient", ["carol", "nobody-here", ""])
def test_somebody_who_is_no_member_is_not_taken_out(album, post, alice, carol, recipient):
    answer = post(f"{album.pk}/revoke", recipient=recipient)
    assert answer.status_code == 422
    assert answer.json()["errors"]["recipient"][0]["code"] == "not_a_recipient"
    page = alice.client.post(f"/albums/{album.pk}/revoke/", {"recipient": recipient})
    assert page.status_code == 422


@pytest.mark.parametrize(
    ("names", "code"), [("", "required"), ("nobody-here", "unknown_recipient")]
)
def test_sharing_with_nobody_is_refused(album, post, alice, names, code):
    answer = post(f"{album.pk}/share", recipients=names)
    assert answer.json()["errors"]["recipients"][0]["code"] == code
    page = alice.client.post(f"/albums/{album.pk}/share/", {"recipients": names})
    assert page.status_code == 422


def test_images_are_taken_out(album, post, image, bob, emptied_storage):
    answer = post(f"{album.pk}/remove", images=str(image.pk)).json()
    assert answer["done"] == [{"image": str(image.pk), "outcome": "taken_out"}]
    assert get(bob, f"/images/{image.pk}/original").status_code == 410
    (again,) = post(f"{album.pk}/remove", images=str(image.pk)).json()["done"]
    assert again["outcome"] == "taken_out"


def test_one_image_of_somebody_else_refuses_all(album, post, bob, upload):
    bob.sign_in()
    sent = bob.client.post("/images/upload/", {"images": [file(jpeg())]}, headers=JSON).json()
    theirs, mine = sent["images"][0]["id"], str(upload().pk)
    answer = post(f"{album.pk}/add", images=[mine, theirs])
    assert answer.status_code == 404
    assert Placement.objects.count() == 1


def test_a_selection_is_added_to_an_album_that_is_chosen_or_new(make, alice, upload):
    images = [str(upload(data=jpeg(colour)).pk) for colour in ("red", "blue")]
    album = make(alice)
    page = alice.sign_in().post("/images/selected/album/", {"images": images})
    assert page.status_code == 200
    assert f'value="{album.pk}"' in page.content.decode()
    form = {"images": images[0], "album": str(album.pk)}
    done = alice.client.post("/images/selected/album/", form)
    assert b"Adding to the album is done" in done.content
    form = {"images": images, "title": "New one"}
    answer = alice.client.post("/images/selected/album/", form, headers=JSON).json()
    assert [one["outcome"] for one in answer["done"]] == ["placed", "placed"]
    assert Circle.objects.count() == 2
    assert Placement.objects.count() == 3
    form = {"images": images, "album": "", "title": ""}
    assert alice.client.post("/images/selected/album/", form).status_code == 422
    form["album"] = str(uuid.uuid4())
    assert alice.client.post("/images/selected/album/", form).status_code == 404


def test_what_is_left_of_a_selection_goes_on_in_the_same_new_album(alice, upload, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 1)
    images = [str(upload(data=jpeg(colour)).pk) for colour in ("red", "blue")]
    form = {"images": images, "title": "New one"}
    page = alice.sign_in().post("/images/selected/album/", form).content.decode()
    album = Circle.objects.get()
    assert f'<input type="hidden" name="album" value="{album.pk}">' in page
    form = {"images": images[1], "album": str(album.pk)}
    alice.client.post("/images/selected/album/", form)
    assert Placement.objects.filter(circle=album).count() == 2


def test_a_script_is_told_which_of_the_images_are_in_its_new_album(alice, upload, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 1)
    images = [str(upload(data=jpeg(colour)).pk) for colour in ("red", "blue")]
    for address in ("/albums/new/", "/images/selected/album/"):
        form = {"images": images, "title": "New one"}
        answer = alice.sign_in().post(address, form, headers=JSON)
        album = Circle.objects.latest("made_at")
        assert answer.status_code == 201
        assert answer.json() == {
            "id": str(album.pk),
            "url": f"/albums/{album.pk}/",
            "done": [{"image": images[0], "outcome": "placed"}],
            "left": [images[1]],
        }
        assert [place.image_id for place in album.placements.all()] == [uuid.UUID(images[0])]


def test_of_images_of_others_no_album_is_made(image, bob):
    form = {"images": [str(image.pk)], "title": "New one"}
    answer = bob.sign_in().post("/albums/new/", form, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert not Circle.objects.exists()


# ---- uploading into an album -----------------------------------------------------------------


@pytest.mark.attack("F305")
def test_a_file_sent_again_is_not_put_back_into_the_album_it_was_taken_out_of(album, alice, bob):
    def send():
        form = {"album": str(album.pk), "upload_id": str(upload_id), "images": [file(picture)]}
        return alice.unlocked().post("/images/upload/", form, headers=JSON)

    upload_id, picture = uuid.uuid4(), jpeg()
    (image,) = send().json()["images"]
    assert send().json()["not_in_album"] == []
    place = {"keyring": alice.keyring, "circle_id": album.pk, "image_id": uuid.UUID(image["id"])}
    placing.take_out(**place)
    answer = send()
    assert answer.json()["errors"]["0"][0]["code"] == "stored_before"
    assert not Placement.objects.filter(image=image["id"], ended_at=None).exists()
    placing.place_image(**place)
    assert send().json()["not_in_album"] == []


def test_what_is_uploaded_for_an_album_is_in_it(album, alice, bob):
    form = {"images": [file(jpeg())], "album": str(album.pk)}
    answer = alice.sign_in().post("/images/upload/", form, headers=JSON)
    assert (answer.status_code, answer.json()["not_in_album"]) == (201, [])
    image = answer.json()["images"][0]["id"]
    assert get(bob, f"/images/{image}/original").status_code == 200
    page = alice.client.get(f"/images/{image}/").content.decode()
    assert "Lake" in page
    assert "Only you." not in page
    assert "Lake" in alice.client.get("/images/upload/").content.decode()


@pytest.mark.parametrize("which", ["shared", "absent"])
def test_an_album_one_may_not_add_to_refuses_the_upload(album, bob, which):
    chosen = {"shared": album.pk, "absent": uuid.uuid4()}[which]
    form = {"images": [file(jpeg())], "album": str(chosen)}
    for address in ("/images/upload/", "/images/upload/check/"):
        answer = bob.sign_in().post(address, form, headers=JSON)
        assert answer.status_code == 422
        assert answer.json()["errors"]["album"][0]["code"] == "no_such_album"
    assert not SealedImage.objects.filter(owner=bob.user).exists()


def test_what_could_not_be_placed_is_stored_and_named(album, alice, monkeypatch):
    def moved(**options):
        raise HeadMoved

    monkeypatch.setattr(placing, "place_image", moved)
    form = {"images": [file(jpeg())], "album": str(album.pk)}
    answer = alice.sign_in().post("/images/upload/", form, headers=JSON).json()
    assert answer["not_in_album"] == [answer["images"][0]["id"]]
    form["images"] = [file(jpeg())]
    assert b"stored, but not in the album" in alice.client.post("/images/upload/", form).content


# ---- ZIP -------------------------------------------------------------------------------------


def test_an_album_as_a_zip(album, image, upload, bob):
    album.place(upload(data=jpeg("red")))
    answer = bob.sign_in().post(f"/albums/{album.pk}/zip/")
    assert answer.status_code == 200
    names = zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
    assert len(names) == 2


@pytest.mark.attack("F103")
def test_who_may_only_view_gets_no_zip_and_no_original(album, image, bob):
    album.share(bob, terms=Terms("view", None))
    answer = bob.sign_in().post(f"/albums/{album.pk}/zip/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_download")
    answer = bob.client.get(f"/images/{image.pk}/original", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert bob.client.get(f"/images/{image.pk}/preview").status_code == 200


# ---- notices and one's own acts --------------------------------------------------------------


def test_members_are_told_of_what_concerns_them(album, post, bob):
    post(f"{album.pk}/share", recipients="bob", rights="view")
    post(f"{album.pk}/revoke", recipient="bob")
    notices = get(bob, "/activity/", headers=JSON).json()["notices"]
    assert [one["sentence"] for one in reversed(notices)] == [
        "Alice Ardent (@alice) shared an album with you.",
        "Alice Ardent (@alice) changed what you may do with an album.",
        "Alice Ardent (@alice) ended your access to an album.",
    ]
    assert {one["album"] for one in notices} == {f"/albums/{album.pk}/"}
    assert {one["image"] for one in notices} == {None}
    assert f'href="/albums/{album.pk}/"' in bob.client.get("/activity/").content.decode()


def test_the_owners_own_acts_are_in_words(album, post, image, alice, emptied_storage):
    post(f"{album.pk}/remove", images=str(image.pk))
    post(f"{album.pk}/revoke", recipient="bob")
    page = alice.client.get("/activity/mine/").content.decode()
    for sentence in (
        "You made an album.",
        "You added an image to an album.",
        "You took an image out of an album.",
        "You shared an album, or changed permissions.",
        "You ended Bob Brook’s access to an album.",
    ):
        assert sentence in page
    acts = alice.client.get("/activity/mine/", headers=JSON).json()["acts"]
    assert str(album.pk) in {act["album"] for act in acts}


def test_a_member_with_new_keys_sees_that_the_album_waits(album, image, bob):
    WrappedKey.objects.filter(member__reader=bob.user).delete()
    answer = get(bob, f"/albums/{album.pk}/", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "waiting")
    assert bob.client.get(f"/albums/{album.pk}/").status_code == 409
    (listed,) = bob.client.get("/albums/", headers=JSON).json()["albums"]
    assert listed["state"] == "waiting"


def test_a_list_of_albums_asks_no_more_often_for_twelve_than_for_two(make, alice, bob):
    bob.sign_in()
    for number in range(2):
        make(alice, str(number)).share(bob)
    bob.client.get("/albums/")
    few = queries(bob.client, "/albums/")
    for number in range(10):
        make(alice, str(number)).share(bob)
    bob.client.get("/albums/")
    assert queries(bob.client, "/albums/") == few


def test_an_album_asks_no_more_often_for_twelve_images_than_for_two(album, alice, bob, upload):
    address = f"/albums/{album.pk}/"
    bob.sign_in()
    album.place(upload(data=jpeg("red")))
    bob.client.get(address)
    few = queries(bob.client, address)
    for number in range(10):
        album.place(upload(data=jpeg((number, 0, 0))))
    bob.client.get(address)
    assert queries(bob.client, address) == few


def test_the_form_keeps_what_was_typed(make, alice):
    answer = alice.sign_in().post("/albums/new/", {"title": "", "description": "Kept words"})
    assert b"Kept words" in answer.content


@pytest.mark.attack("F303")
def test_a_page_that_somebody_else_opened_makes_no_album(alice, bob):
    form = {"title": "Clinic", "person": str(alice.user.pk)}
    answer = bob.sign_in().post("/albums/new/", form, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"]["__all__"][0]["code"] == "another_person"
    assert not Circle.objects.exists()
    assert alice.sign_in().post("/albums/new/", form, headers=JSON).status_code == 201
