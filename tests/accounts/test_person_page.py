"""The page of a person: who may see it, what it shows, and what counts as having compared."""

import re

import pytest

from accounts import fingerprints
from accounts.fingerprints import grouped, qr_code, words
from accounts.models import KeyPair
from accounts.views.comparing import Question
from audit.models import AuditEntry

JSON = {"accept": "application/json"}


def page(client, name, **post):
    address = f"/people/{name}/"
    return client.post(address, post, headers=JSON) if post else client.get(address, headers=JSON)


def compare(client, name, verdict="match", **changed):
    """Compare as a person does: look, then type the words asked for."""
    shown = page(client, name).json()
    asked = shown["compare"]
    first, second = (shown["words"][number - 1] for number in asked["words"])
    typed = {"question": asked["question"], "word_1": first, "word_2": second, "verdict": verdict}
    return page(client, name, **{**typed, **changed})


def fingerprint_of(person):
    return person.user.key_pairs.get(purpose="signing", state="primary").fingerprint


# ---- who sees it -----------------------------------------------------------------------------


def test_nobody_the_disabled_and_the_keyless_look_the_same(alice, bob, mallory, staff):
    alice.sign_in()
    bob.user.is_active = False
    bob.user.save()
    KeyPair.objects.filter(user=mallory.user, purpose="signing").update(certificate=b"{}")
    make = type(alice.user).objects.create_user
    make("keyless")
    names = ["nobody-here", "bob", "keyless", "mallory", "x", "%00", "a" * 300, "🦊"]
    answers = {(page(alice.client, n).status_code, page(alice.client, n).content) for n in names}
    assert len(answers) == 1
    assert answers.pop()[0] == 404


def test_an_unverifiable_key_is_recorded_not_shown(alice, bob):
    KeyPair.objects.filter(user=bob.user, purpose="signing").update(certificate_signature=b"x")
    assert page(alice.sign_in(), "bob").status_code == 404
    assert AuditEntry.objects.filter(event="key:refused", subject=bob.user.pk).exists()


def test_looking_names_up_is_throttled_with_sharing(alice, bob, settings):
    settings.NAME_LOOKUPS_PER_HOUR = 3
    client = alice.sign_in()
    assert [page(client, "bob").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert page(client, "alice").status_code == 200  # your own name is no news


def test_the_e_mail_address_is_nowhere(alice, bob):
    bob.user.email = "bob@private.example"
    bob.user.save()
    client = alice.sign_in()
    for answer in (client.get("/people/bob/"), page(client, "bob")):
        assert b"private.example" not in answer.content


# ---- what it shows ---------------------------------------------------------------------------


def test_words_and_groups_are_of_the_signing_key(alice, bob):
    shown = page(alice.sign_in(), "bob").json()
    assert shown["fingerprint"] == fingerprint_of(bob)
    assert shown["words"] == words(fingerprint_of(bob))
    html = alice.client.get("/people/BOB/").content.decode()
    listed = re.findall(r"<li>([0-9A-F]{4})</li>", html)
    assert " ".join(listed) == grouped(fingerprint_of(bob))
    assert re.findall(r"<li>([a-z]+)</li>", html) == shown["words"]
    assert "style=" not in html


def test_the_words_are_those_of_bip_39():
    """Trezor's vectors: entropy of zeros and ones, without the checksum's last word."""
    assert words("0" * 64) == ["abandon"] * 8
    assert words("f" * 64) == ["zoo"] * 8
    assert words("80" * 32) == (
        "letter advice cage absurd amount doctor acoustic avoid".split()  # noqa: SIM905
    )


def test_another_word_list_is_refused(monkeypatch, tmp_path):
    other = tmp_path / "english.txt"
    other.write_bytes(fingerprints.LIST.read_bytes().replace(b"abandon", b"abacus"))
    fingerprints._english.cache_clear()
    monkeypatch.setattr(fingerprints, "LIST", other)
    with pytest.raises(fingerprints.WrongWords):
        words("0" * 64)


def test_the_qr_code_is_what_segno_draws():
    import segno

    width, path = qr_code("7f3a" * 16)
    drawn = [[0] * width for _ in range(width)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for step in range(int(length)):
            drawn[int(y)][int(x) + step] = 1
    expected = segno.make(grouped("7f3a" * 16), error="m", micro=False, boost_error=False)
    assert drawn == [[int(module) for module in row] for row in expected.matrix]


def test_ones_own_page_shows_the_words_and_asks_nothing(alice):
    client = alice.sign_in()
    shown = page(client, "alice").json()
    assert shown["words"] == words(fingerprint_of(alice))
    assert "compare" not in shown
    assert b"They match" not in client.get("/people/alice/").content
    assert page(client, "alice", verdict="match").status_code == 404


def test_a_first_key_is_called_yours_or_theirs(alice, bob):
    assert "This is your first key." in alice.sign_in().get("/people/alice/").content.decode()
    assert "This is their first key." in alice.sign_in().get("/people/bob/").content.decode()


def test_names_lead_to_the_page(shared_image, alice):
    image_page = alice.client.get(f"/images/{shared_image.pk}/").content
    upload_page = alice.client.get("/images/upload/").content
    assert b'href="/people/bob/"' in image_page
    assert b'href="/people/bob/"' in upload_page
    assert b'href="/people/alice/"' in alice.client.get("/accounts/security/").content


# ---- comparing -------------------------------------------------------------------------------


def test_two_typed_words_count_as_compared(alice, bob):
    client = alice.sign_in()
    assert compare(client, "bob").json() == {"compared": "bob", "matches": True}
    assert page(client, "bob").json()["compared_at"]
    entry = AuditEntry.objects.filter(event="contact:compared", outcome="done").get()
    facts = entry.parsed().facts
    assert (facts["fingerprint"], facts["matches"]) == (fingerprint_of(bob), "yes")


def test_capital_letters_and_spaces_are_forgiven(alice, bob):
    client = alice.sign_in()
    shown = page(client, "bob").json()
    first, second = (shown["words"][n - 1] for n in shown["compare"]["words"])
    typed = {"word_1": f" {first.upper()} ", "word_2": second.title()}
    question = shown["compare"]["question"]
    assert page(client, "bob", question=question, verdict="match", **typed).status_code == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"word_1": ""}, "wrong_word"),
        ({"word_2": "zoo zoo"}, "wrong_word"),
        ({"word_1": "a" * 30}, "max_length"),
        ({"question": "made up"}, "compare_anew"),
        ({"question": ""}, "required"),
        ({"verdict": "maybe"}, "invalid_choice"),
        ({"verdict": ""}, "required"),
    ],
)
def test_anything_else_does_not(alice, bob, changed, code):
    client = alice.sign_in()
    answer = compare(client, "bob", **changed)
    assert answer.status_code == 422
    assert code in str(answer.json())
    assert page(client, "bob").json()["compared_at"] is None
    assert not AuditEntry.objects.filter(event="contact:compared").exists()


def test_a_wrong_word_is_asked_for_once_more(alice, bob):
    client = alice.sign_in()
    asked = page(client, "bob").json()["compare"]
    form = {"question": asked["question"], "verdict": "match", "word_1": "zoo", "word_2": ""}
    html = client.post("/people/bob/", form).content.decode()
    assert re.findall(r"Word (\d)</label>", html) == [str(number) for number in asked["words"]]
    assert f"not word {asked['words'][0]} of the key" in html
    assert 'value="zoo"' in html


def test_a_question_about_another_key_or_to_somebody_else_answers_nothing(alice, bob, carol):
    client = alice.sign_in()
    for asker, key in ((alice, carol), (carol, bob)):
        question = Question.new(asker.user.pk, fingerprint_of(key))
        typed = {"word_1": question.word(0), "word_2": question.word(1)}
        answer = page(client, "bob", question=question.signed(), verdict="match", **typed)
        assert answer.status_code == 422


def test_the_two_words_are_chosen_again_each_time(alice, bob):
    client = alice.sign_in()
    asked = {tuple(page(client, "bob").json()["compare"]["words"]) for _ in range(30)}
    assert len(asked) > 3


def test_words_that_do_not_match_are_recorded_and_the_page_says_what_to_do(alice, bob):
    client = alice.sign_in()
    assert compare(client, "bob", "differ", word_1="", word_2="").json()["matches"] is False
    assert page(client, "bob").json()["change"] == "differs"
    assert b"tell staff at once" in client.get("/people/bob/").content
    entry = AuditEntry.objects.filter(event="contact:compared", outcome="done").get()
    assert entry.parsed().facts["matches"] == "no"


def test_comparing_needs_open_keys(alice, bob):
    client = alice.sign_in()
    asked = page(client, "bob").json()
    client.post("/accounts/lock/")
    assert page(client, "bob").status_code == 200
    assert b"Unlock to compare" in client.get("/people/bob/").content
    question = asked["compare"]["question"]
    answer = page(client, "bob", question=question, verdict="match")
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
