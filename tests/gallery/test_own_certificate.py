"""Opening asks for the reader's own certificate, too, by whichever way the content key comes."""

import pytest

from accounts.models import KeyPair, WrappedKey
from audit.models import AuditEntry

JSON = {"accept": "application/json"}


def flipped(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


@pytest.mark.attack("F27")
@pytest.mark.parametrize("purpose", ["encryption", "signing"])
@pytest.mark.parametrize("quick", [True, False])
def test_a_reader_whose_key_nobody_certified_opens_nothing(shared_image, bob, purpose, quick):
    client = bob.sign_in()
    assert client.get(f"/images/{shared_image.pk}/preview").status_code == 200
    if not quick:
        WrappedKey.objects.update(quick_key=None)
    pair = KeyPair.objects.get(user=bob.user, purpose=purpose)
    pair.certificate_signature = flipped(pair.certificate_signature)
    pair.save()
    answer = client.get(f"/images/{shared_image.pk}/preview", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "altered")
    assert AuditEntry.objects.filter(event="image:altered").latest("sequence").parsed().facts == {
        "step": "own-certificate"
    }


def test_somebody_elses_broken_certificate_changes_nothing_for_the_others(shared_image, alice, bob):
    KeyPair.objects.filter(user=bob.user).update(certificate_signature=b"")
    assert alice.sign_in().get(f"/images/{shared_image.pk}/preview").status_code == 200
