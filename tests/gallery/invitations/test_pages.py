"""Inviting, accepting, claiming and ending over HTTP: pages, and the same as JSON."""

import re
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from gallery.errors import TooManyReaders
from gallery.models import Grant, Invitation, InvitedGrant, SealedImage
from gallery.services import sharing
from tests.accounts.test_person_page import compare
from tests.accounts.test_pins import replace_signing
from tests.conftest import PASSWORD
from tests.gallery.invitations.conftest import CODE, accept, status_of
from tests.gallery.invitations.test_accepting import findings

pytestmark = pytest.mark.usefixtures("emptied_storage")
JSON = {"accept": "application/json"}
FORM = {"username": "lee", "display_name": "Ann Lee", "password1": PASSWORD, "password2": PASSWORD}
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


def path_of(link: str) -> str:
    assert link.startswith("http://127.0.0.1:8000/invitations/")
    return link.removeprefix("http://127.0.0.1:8000")


def make(person, **fields) -> str:
    """Make an invitation over HTTP; return the path of its link."""
    form = {"display_name": "Dr. Lee", **fields}
    answer = person.sign_in().post("/invitations/", form, headers=JSON)
    assert answer.status_code == 201, answer.content
    return path_of(answer.json()["invitation"]["link"])


def share(person, image, **fields):
    return person.sign_in().post(f"/images/{image.pk}/share/", fields, headers=JSON)


def the_id() -> str:
    return str(Invitation.objects.get().pk)


# ---- a whole walk ----------------------------------------------------------------------------


def test_shared_before_there_is_an_account_and_open_after(upload, alice):
    image, path = upload(), make(alice)
    answer = share(alice, image, invitations=[the_id()], rights="view")
    assert answer.json()["invited"] == [the_id()]
    client = Client()
    page = client.get(path).content.decode()
    assert "Alice Ardent invites you" in page
    assert 'value="Dr. Lee"' in page
    answer = client.post(path, FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/recovery-code/")
    assert client.get(f"/images/{image.pk}/preview").status_code == 200
    assert client.get(f"/images/{image.pk}/original").status_code == 403
    assert User.objects.get(username="lee").display_name == "Ann Lee"
    for again in (client, Client()):
        assert again.get(path).status_code == again.post(path, FORM).status_code == 404


def test_somebody_is_invited_in_the_act_of_sharing(upload, alice):
    image = upload()
    about = {"invite-display_name": "Dr. Lee", "invite-days": "3"}
    page = alice.sign_in().post(f"/images/{image.pk}/share/", about)
    assert page.status_code == 201
    assert page.content.decode().count("/invitations/") > 1
    (link,) = re.findall(r'value="(http://[^"]+)"', page.content.decode())
    assert Client().post(path_of(link), FORM, headers=JSON).status_code == 201
    assert Grant.objects.filter(image=image, reader__username="lee").exists()


def test_an_upload_is_shared_with_somebody_invited(upload, alice):
    path = make(alice)
    image = upload(invitations=the_id())
    assert Client().post(path, FORM, headers=JSON).json()["username"] == "lee"
    assert Grant.objects.filter(image=image, reader__username="lee").exists()
    assert findings(image) == []


def test_the_page_of_an_image_lists_who_was_invited(invite, upload, alice):
    image = upload()
    invite(image)
    page = alice.sign_in().get(f"/images/{image.pk}/")
    assert b"Dr. Lee" in page.content
    assert b"not yet accepted" in page.content
    (row,) = alice.client.get(f"/images/{image.pk}/", headers=JSON).json()["invited"]
    assert (row["display_name"], row["rights"]) == ("Dr. Lee", "download")


def test_ending_what_an_invitation_carries_changes_the_lock(invite, upload, alice, bob):
    image = upload()
    new = invite(image)
    place, form = f"/images/{image.pk}/revoke/", {"invitation": the_id()}
    assert alice.sign_in().post(place, form, headers=JSON).json() == {"invitation": the_id()}
    assert SealedImage.objects.get().lock == 2
    assert status_of(accept(new), image) == 404
    for wrong in ("", "no id", str(image.pk)):
        answer = alice.client.post(place, {"invitation": wrong}, headers=JSON)
        assert answer.status_code == 422


def test_taking_back_changes_the_locks_at_once(invite, upload, alice):
    image, other = upload(), upload()
    new = invite(image, other)
    answer = alice.sign_in().post(f"/invitations/{the_id()}/take-back/", headers=JSON)
    assert answer.json() == {"taken_back": the_id(), "relocked": 2, "left": 0}
    assert set(SealedImage.objects.values_list("lock", flat=True)) == {2}
    assert Client().get(f"/invitations/{new.token}/").status_code == 404
    again = alice.client.post(f"/invitations/{the_id()}/take-back/", headers=JSON)
    assert (again.status_code, again.json()["code"]) == (409, "not_open")
    assert b"Taken back" in alice.client.get("/invitations/").content


# ---- the list --------------------------------------------------------------------------------


def test_ones_own_invitations_are_listed_with_what_they_carry(invite, upload, alice, bob):
    image = upload()
    invite(image)
    shown = alice.sign_in().get("/invitations/", headers=JSON).json()["invitations"]
    (one,) = shown
    said = (one["state"], one["display_name"], one["email"], one["images"])
    assert said == ("open", "Dr. Lee", "lee@example.org", [str(image.pk)])
    assert bob.sign_in().get("/invitations/", headers=JSON).json() == {"invitations": []}
    page = alice.client.get("/invitations/").content.decode()
    assert "Carries 1 image" in page
    assert "lee@example.org" in page


def test_who_accepted_is_named_and_the_name_written_is_gone(invite, upload, alice):
    accept(invite(upload()), "annlee")
    (one,) = alice.sign_in().get("/invitations/", headers=JSON).json()["invitations"]
    said = (one["state"], one["display_name"], one["email"], one["accepted_by"])
    assert said == ("used", None, None, "annlee")
    assert b"@annlee" in alice.client.get("/invitations/").content


def test_an_altered_row_is_said_and_the_others_are_listed(invite, alice):
    invite()
    invite()
    Invitation.objects.filter(pk=Invitation.objects.first().pk).update(token_digest="0" * 64)
    shown = alice.sign_in().get("/invitations/", headers=JSON).json()["invitations"]
    assert sorted(one["state"] for one in shown) == ["altered", "open"]
    assert b"Tell staff" in alice.client.get("/invitations/").content


def test_an_altered_name_is_not_offered_and_the_link_works(alice):
    path = make(alice)
    Invitation.objects.update(details=bytes(64))
    page = Client().get(path)
    assert page.status_code == 200
    assert b"Dr. Lee" not in page.content
    assert Client().post(path, FORM, headers=JSON).status_code == 201


# ---- mail ------------------------------------------------------------------------------------


def test_the_mail_says_until_when_in_the_zone_of_the_site(alice, settings):
    settings.EMAIL_BACKEND, settings.TIME_ZONE = LOCMEM, "Europe/Berlin"
    client = alice.sign_in()
    client.cookies["time_zone"] = "Asia/Kolkata"
    form = {"display_name": "Dr. Lee", "email": "lee@example.org"}
    client.post("/invitations/", form, headers=JSON)
    ends = timezone.localtime(Invitation.objects.get().ends_at, ZoneInfo("Europe/Berlin"))
    assert f"{ends:%H:%M} (Europe/Berlin)" in mail.outbox[0].body


def test_the_mail_holds_the_link_and_nothing_of_a_picture(upload, alice, settings):
    settings.EMAIL_BACKEND = LOCMEM
    upload(caption="At the lake")
    answer = alice.sign_in().post(
        "/invitations/", {"display_name": "Dr. Lee", "email": "lee@example.org"}, headers=JSON
    )
    made = answer.json()["invitation"]
    assert made["mail_sent"] is True
    (sent,) = mail.outbox
    assert sent.to == ["lee@example.org"]
    assert made["link"] in sent.body
    assert "Alice Ardent (@alice)" in sent.body
    assert not any(word in sent.body + sent.subject for word in ("lake", "holiday", "image"))


def test_a_mail_that_fails_is_said_and_the_link_is_shown(alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    form = {"display_name": "Dr. Lee", "email": "lee@example.org"}
    page = alice.sign_in().post("/invitations/", form)
    assert page.status_code == 201
    assert b"No mail could be sent to lee@example.org" in page.content
    assert b"http://127.0.0.1:8000/invitations/" in page.content


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": "a\u202eb"}, "display_name"),
        ({"email": "no address"}, "email"),
        ({"spoken_code": "a b c d e"}, "spoken_code"),
        ({"days": "0"}, "days"),
        ({"days": "31"}, "days"),
    ],
)
def test_a_wrong_form_makes_no_invitation(alice, fields, field):
    form = {"display_name": "Dr. Lee", **fields}
    answer = alice.sign_in().post("/invitations/", form, headers=JSON)
    assert (answer.status_code, [*answer.json()["errors"]]) == (422, [field])
    assert alice.client.post("/invitations/", form).status_code == 422
    assert not Invitation.objects.exists()


def test_a_share_that_is_refused_makes_no_invitation(upload, alice):
    image = upload()
    for wrong in ({"recipients": "nobody"}, {"invite-days": "99"}, {"ends_at": "2001-01-01 00:00"}):
        form = {"invite-display_name": "Dr. Lee", **wrong}
        assert share(alice, image, **form).status_code == 422
        assert alice.client.post(f"/images/{image.pk}/share/", form).status_code == 422
    assert not Invitation.objects.exists()


def test_an_invitation_whose_share_fails_is_taken_back(upload, alice, monkeypatch):
    image = upload()

    def full(*arguments):
        raise TooManyReaders

    monkeypatch.setattr(sharing, "still_invited", full)
    assert share(alice, image, **{"invite-display_name": "Dr. Lee"}).status_code == 422
    assert Invitation.objects.get().taken_back_at
    assert not InvitedGrant.objects.exists()


@pytest.mark.parametrize("ids", [["no id"], ["00000000-0000-4000-8000-000000000000"]])
def test_an_invitation_that_is_none_stops_the_share(upload, alice, ids):
    image = upload()
    assert "invitations" in share(alice, image, invitations=ids).json()["errors"]


def test_somebody_elses_invitation_is_not_there(invite, upload, alice, bob):
    image = upload()
    invite(image)
    bob.sign_in()
    for act in ("take-back", "agree", "refuse"):
        answer = bob.client.post(f"/invitations/{the_id()}/{act}/", headers=JSON)
        assert answer.status_code == 404
    file = {"images": [], "invitations": [the_id()]}
    answer = bob.client.post("/images/upload/check/", file, headers=JSON)
    assert answer.json()["errors"]["invitations"][0]["code"] == "invitation_not_open"


def test_a_used_invitation_put_back_stops_the_share(invite, upload, alice):
    image = upload()
    new = invite()
    row = Invitation.objects.get()
    accept(new)
    row.wrapped_key = None
    row.save()
    answer = share(alice, image, invitations=[the_id()])
    assert answer.json()["errors"]["invitations"][0]["code"] == "invitation_not_open"


def test_a_wrong_code_is_a_sentence_and_is_on_record(upload, alice):
    path = make(alice, spoken_code=CODE)
    page = Client().get(path).content.decode()
    assert "Dr. Lee" not in page
    answer = Client().post(path, {**FORM, "spoken_code": "red river"}, headers=JSON)
    assert answer.json()["errors"]["spoken_code"][0]["code"] == "wrong_code"
    assert "spoken_code" in Client().post(path, FORM, headers=JSON).json()["errors"]
    refused = AuditEntry.objects.filter(event="invitation:refused").last()
    assert refused.parsed().facts == {"reason": "code"}
    made = Client().post(path, {**FORM, "spoken_code": "  blue RIVER 42 "}, headers=JSON)
    assert made.status_code == 201


def test_a_taken_name_is_said_and_the_link_still_works(alice, bob):
    path = make(alice)
    answer = Client().post(path, {**FORM, "username": "bob"}, headers=JSON)
    assert answer.json()["errors"]["username"][0]["code"] == "username_taken"
    assert Client().post(path, FORM, headers=JSON).status_code == 201


def test_a_link_that_never_was_reads_as_one_that_is_over(invite, alice):
    new = invite()
    used = f"/invitations/{new.token}/"
    accept(new)
    never = "/invitations/" + "x" * 43 + "/"
    answers = [Client().get(path, headers=JSON).json() for path in (used, never)]
    assert answers[0] == answers[1]
    assert AuditEntry.objects.filter(event="invitation:refused").exists()


def test_links_tried_out_and_invitations_are_held(alice, settings):
    settings.REGISTRATIONS_PER_HOUR, settings.INVITATIONS_PER_HOUR = 1, 2
    assert [make(alice), make(alice)]
    held = alice.client.post("/invitations/", {"display_name": "Dr. Lee"}, headers=JSON)
    assert held.status_code == 429
    stranger = Client()
    assert stranger.get("/invitations/one/").status_code == 404
    assert stranger.get("/invitations/two/").status_code == 429


@pytest.mark.parametrize("policy", ["invite", "closed"])
def test_where_people_do_not_invite_the_page_says_so(upload, alice, settings, policy):
    image, path = upload(), make(alice)
    settings.REGISTRATION = policy
    assert b"People do not invite others" in alice.client.get("/invitations/").content
    answer = alice.client.post("/invitations/", {"display_name": "Dr. Lee"}, headers=JSON)
    assert answer.status_code == 422
    answer = share(alice, image, **{"invite-display_name": "Dr. Lee"})
    assert answer.status_code == 422
    assert Client().get(path).status_code == 404


def test_no_link_is_in_the_log(invite, caplog):
    new = invite()
    Client().get(f"/invitations/{new.token[:-1]}x/")
    assert new.token[:-1] not in "".join(record.getMessage() for record in caplog.records)


# ---- somebody who has an account already -----------------------------------------------------


def test_a_claim_is_asked_about_and_agreed_to(invite, upload, alice, bob):
    image = upload()
    new = invite(image)
    path = f"/invitations/{new.token}/"
    page = Client().get(path).content.decode()
    assert f"/accounts/login/?next={path}" in page
    assert b"You are signed in as @bob" in bob.sign_in().get(path).content
    answer = bob.client.post(path + "claim/", headers=JSON)
    assert (answer.status_code, answer.json()) == (202, {"claimed": True, "inviter": "alice"})
    assert status_of(bob, image) == 404
    assert b"followed a link of yours" in alice.sign_in().get("/images/mine/").content
    assert b"Bob Brook (@bob)" in alice.client.get("/invitations/").content
    agree = f"/invitations/{the_id()}/agree/"
    wrong = alice.client.post(agree, {"person": "carol"}, headers=JSON)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "not_claimed")
    agreed = alice.client.post(agree, {"person": "bob"}, headers=JSON)
    assert agreed.json() == {"shared": 1, "left": 0}
    assert status_of(bob, image) == 200
    assert Client().get(path).status_code == 404


def test_a_claim_that_is_refused_moves_nothing(invite, upload, alice, bob):
    image = upload()
    new = invite(image)
    path = f"/invitations/{new.token}/"
    bob.sign_in().post(path + "claim/")
    refuse = f"/invitations/{the_id()}/refuse/"
    assert alice.sign_in().post(refuse, headers=JSON).json() == {"refused": the_id()}
    assert alice.client.post(refuse, headers=JSON).status_code == 409
    assert status_of(bob, image) == 404
    assert status_of(accept(new), image) == 200


def test_a_claim_needs_the_code_and_a_session(invite, alice, bob):
    new = invite(spoken_code=CODE)
    path = f"/invitations/{new.token}/claim/"
    assert Client().post(path, headers=JSON).status_code == 401
    answer = bob.sign_in().post(path, {"spoken_code": "red river"}, headers=JSON)
    assert answer.json()["errors"]["spoken_code"][0]["code"] == "wrong_code"
    assert bob.client.post(path, {"spoken_code": "red river"}).status_code == 422
    assert bob.client.post(path, {"spoken_code": CODE}, headers=JSON).status_code == 202
    own = alice.sign_in().post(path, {"spoken_code": CODE}, headers=JSON)
    assert (own.status_code, own.json()["code"]) == (409, "own_invitation")


def test_a_compared_key_that_changed_stops_agreeing(invite, upload, alice, bob):
    image = upload()
    new = invite(image)
    alice.sign_in()
    compare(alice.client, "bob")
    bob.sign_in().post(f"/invitations/{new.token}/claim/")
    replace_signing(bob)
    agree = f"/invitations/{the_id()}/agree/"
    answer = alice.sign_in().post(agree, {"person": "bob"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_changed")
    assert not Grant.objects.filter(reader=bob.user).exists()
