"""The pictures of one upload, decoded side by side: each is stored or named, come what may."""

import os
import signal

import pytest

from accounts.models import ThrottleWindow
from gallery.decoding import asking
from gallery.decoding.asking import Decoders
from gallery.models import SealedImage
from gallery.services import taking_in
from tests.conftest import jpeg
from tests.gallery.decoding.worker import HOSTILE
from tests.gallery.test_uploading import file, post


@pytest.fixture
def hostile(monkeypatch):
    decoders = Decoders(HOSTILE)
    monkeypatch.setattr(taking_in, "DECODERS", decoders)
    yield decoders
    decoders.stop()


@pytest.mark.attack("F181")
def test_of_an_upload_only_the_picture_that_ends_its_decoder_is_refused(alice, hostile):
    acts = [b"fall", b"crash", b"answer nonsense", b"answer without end"]
    files = [one for act in acts for one in (file(act, f"{act.decode()}.jpg"), file(jpeg()))]
    answer = post(alice, files).json()
    refused = {index: errors[0]["code"] for index, errors in answer["errors"].items()}
    assert refused == dict.fromkeys(("0", "2", "4", "6"), "unreadable")
    assert "fall.jpg" in answer["errors"]["0"][0]["message"]
    assert len(answer["images"]) == SealedImage.objects.count() == 4


def test_pictures_keep_the_order_of_their_files(alice):
    files = [file(jpeg(size=(100 + number, 50)), f"{number}.jpg") for number in range(12)]
    images = post(alice, files).json()["images"]
    widths = [
        alice.client.get(image["url"], headers={"accept": "application/json"}).json()["width"]
        for image in images
    ]
    assert widths == [100 + number for number in range(12)]


@pytest.mark.attack("F181")
def test_a_picture_whose_starter_was_killed_may_come_again_and_cost_nothing(
    alice, hostile, monkeypatch
):
    assert post(alice).status_code == 201
    before = ThrottleWindow.objects.get(scope="pixels").count
    take = hostile.take

    def take_and_lose(*args, **options):
        decoding = take(*args, **options)
        os.kill(hostile.process_id, signal.SIGKILL)
        return decoding

    alice.client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(hostile, "take", take_and_lose)
        answer = post(alice, [file(b"wait")])
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert ThrottleWindow.objects.get(scope="pixels").count == before
    assert post(alice).status_code == 201


@pytest.mark.attack("F184")
def test_who_keeps_a_decoder_without_an_answer_pays_for_the_time(
    alice, bob, hostile, monkeypatch, settings
):
    settings.UPLOAD_MEGAPIXELS_PER_HOUR = 15
    with monkeypatch.context() as impatient:
        impatient.setattr(asking, "READING_SECONDS", 1)
        hanging = post(alice, [file(b"hang")]).json()
    assert hanging["errors"]["0"][0]["code"] == "unreadable"
    assert post(alice).json()["errors"]["0"][0]["code"] == "too_much_this_hour"
    assert post(bob, [file(jpeg())]).status_code == 201
