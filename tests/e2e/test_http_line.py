"""The whole line with nothing but a plain HTTP client that follows docs/http.md."""

from tests.conftest import jpeg
from tests.e2e.http_client import HttpClient

PASSWORD, NEW_PASSWORD = "correct horse battery", "an entirely new one 42"


def test_two_images_are_shared_opened_revoked_and_recovered(server):
    alice, bob, mallory = (HttpClient(server.address) for _ in range(3))
    alice.register("alice", "Alice Ardent", PASSWORD)
    code = bob.register("bob", "Bob Brook", PASSWORD)
    mallory.register("mallory", "Mallory Mist", PASSWORD)

    # Alice uploads two images for bob, as they are.
    lake, hill = jpeg("teal"), jpeg("olive")
    answer = alice.upload(
        [("lake.jpg", lake), ("hill.jpg", hill)],
        recipients=["bob"],
        caption="Summer",
        keep_details="1",
    )
    assert answer.status == 201
    assert answer.json()["errors"] == {}
    first, second = (image["id"] for image in answer.json()["images"])

    # Bob is notified, sees both, and opens them verified and byte for byte.
    notices = bob.get("/activity/").json()["notices"]
    assert [(notice["kind"], notice["state"]) for notice in notices] == [("shared", "genuine")] * 2
    cards = bob.get("/images/").json()["images"]
    assert {(card["id"], card["caption"], card["state"]) for card in cards} == {
        (first, "Summer (1)", "verified"),
        (second, "Summer (2)", "verified"),
    }
    page = bob.get(f"/images/{first}/").json()
    assert page["verdict"]["code"] == "verified"
    assert page["owner"] == {"username": "alice", "display_name": "Alice Ardent"}
    assert bob.get(f"/images/{first}/original").body == lake
    assert bob.get(f"/images/{second}/original").body == hill

    # Mallory, signed in, gets 404 everywhere.
    for what in ("", "original", "preview", "thumbnail"):
        assert mallory.get(f"/images/{first}/{what}").status == 404
    for verb in ("share", "revoke", "delete"):
        fields = {"recipients": "mallory", "recipient": "bob"}
        assert mallory.post(f"/images/{first}/{verb}/", fields).status == 404
    assert mallory.get("/images/").json()["images"] == []

    # Alice takes one back; bob is notified, and keeps the other.
    receipt = alice.post(f"/images/{first}/revoke/", {"recipient": "bob"}).json()
    assert (receipt["opened"], receipt["downloaded"]) == (1, 1)
    gone = bob.get(f"/images/{first}/original")
    assert (gone.status, gone.json()["code"]) == (410, "access_ended")
    assert bob.get("/activity/").json()["notices"][0]["kind"] == "revoked"

    # Bob forgets his password, comes back with the code, and opens the other.
    later = HttpClient(server.address)
    form = {"username": "bob", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    recovered = later.post("/accounts/recover/", {**form, "recovery_code": code.lower()})
    assert recovered.status == 200
    assert recovered.json()["recovery_code"] != code
    assert later.get(f"/images/{second}/original").body == hill
    assert bob.get(f"/images/{second}/original", as_json=True).status == 401

    # Signed out and locked have different answers.
    assert later.post("/accounts/lock/").json() == {"unlocked": False}
    assert later.get(f"/images/{second}/original").json()["code"] == "locked"
    assert later.post("/accounts/unlock/", {"password": NEW_PASSWORD}).status == 200
    assert later.post("/accounts/logout/").json() == {"signed_out": True}
    assert later.get("/images/").json()["code"] == "signed_out"
