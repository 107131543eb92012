"""What a phone asks for to keep the site among its apps."""

import io
import re

import pytest
from PIL import Image

ADDRESSES = ["/manifest.webmanifest", "/service-worker.js", "/offline/"]


def body_of(answer) -> bytes:
    body = answer.getvalue()
    answer.close()
    return body


@pytest.mark.attack("F311")
@pytest.mark.parametrize("address", ADDRESSES)
def test_it_says_the_same_to_everybody(client, alice, shared_image, address):
    alice.unlocked().cookies["theme"] = "dark"
    answer = alice.client.get(address)
    assert answer.content == client.get(address).content
    assert b"csrf" not in answer.content
    assert not answer.cookies


def test_the_manifest_names_icons_that_are_what_it_says(client):
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    about = answer.json()
    assert {icon["purpose"] for icon in about["icons"]} == {"any", "maskable"}
    for icon in about["icons"]:
        picture = Image.open(io.BytesIO(body_of(client.get(icon["src"]))))
        assert picture.format == "PNG"
        assert "x".join(map(str, picture.size)) == icon["sizes"]
    assert client.get(about["start_url"]).status_code == 200


def test_a_maskable_icon_has_no_corner_to_see_through(client):
    icons = client.get("/manifest.webmanifest").json()["icons"]
    (src,) = (icon["src"] for icon in icons if icon["purpose"] == "maskable")
    picture = Image.open(io.BytesIO(body_of(client.get(src)))).convert("RGBA")
    assert picture.getextrema()[3] == (255, 255)


def test_the_worker_is_a_script_and_the_policy_lets_it_work(client):
    answer = client.get("/service-worker.js")
    assert answer["Content-Type"] == "text/javascript"
    assert "no-store" in answer["Cache-Control"]
    assert "worker-src 'self'" in client.get("/")["Content-Security-Policy"]


def test_all_that_the_worker_keeps_at_first_is_there(client):
    worker = client.get("/service-worker.js").content.decode()
    needed = re.findall(r'"(/static/[^"]+)"', worker)
    assert len(needed) == 6
    for address in [*needed, "/offline/"]:
        answer = client.get(address)
        assert answer.status_code == 200
        answer.close()


@pytest.mark.attack("F310")
def test_what_a_phone_shares_without_the_worker_is_not_read_and_a_page_says_so(alice, settings):
    body = b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    form = {"images": io.BytesIO(body)}
    answer = alice.unlocked().post("/images/upload/shared/", form, follow=True)
    assert answer.redirect_chain[-1][0] == "/images/upload/"
    assert "The images you shared did not arrive." in answer.content.decode()


def test_where_a_phone_shares_to_is_in_the_manifest(client):
    target = client.get("/manifest.webmanifest").json()["share_target"]
    assert target["action"] == "/images/upload/shared/"
    assert target["params"]["files"][0]["name"] == "images"
