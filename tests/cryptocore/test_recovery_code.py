import pytest

from cryptocore.recovery_code import ALPHABET, fold, groups, new_code, normalise
from tests.cryptocore.refusals import assert_refused

CODE = "0123456789ABCDEFGHJKMNPQRSTVWX"


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE[:-1],
        CODE + "0",
        "U" + CODE[1:],
        "!" + CODE[1:],
        "0" + CODE[1:-1] + "\x00",
        "ı" + CODE[1:],  # upper() makes it an I, which would read as 1
        "ſ" + CODE[1:],  # upper() makes it an S
        "ﬀ" + CODE[2:],  # upper() makes it two letters
        "٠" + CODE[1:],
        "\ud800" + CODE[1:],
    ],
)
def test_what_is_not_thirty_symbols_of_the_alphabet_is_refused(text):
    assert_refused(normalise, text)
    assert_refused(groups, text)


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        CODE.lower(),
        "-".join(groups(CODE)),
        "  " + " ".join(CODE) + "\r\n",
        "\u00a0".join(groups(CODE)),
        "\u2011".join(groups(CODE)),
        " – ".join(groups(CODE)),
        "o" + "I" + CODE[2:],
        "O" + "l" + CODE[2:].lower(),
        "0" + "i" + CODE[2:],
        "0" + "L" + CODE[2:],
    ],
)
def test_case_spaces_hyphens_and_look_alikes_do_not_matter(text):
    assert normalise(text) == CODE


def test_folding_a_part_says_nothing_about_its_length():
    assert fold(" o1-iL ") == "0111"
    assert fold("ı é u!") == "ıéU!"


def test_groups_are_six_of_five_that_join_to_the_code():
    assert [len(group) for group in groups(CODE.lower())] == [5] * 6
    assert "".join(groups(CODE)) == CODE


def test_new_codes_are_normalised_differ_and_use_the_whole_alphabet():
    codes = {new_code() for _ in range(300)}
    assert len(codes) == 300
    assert all(normalise(code) == code for code in codes)
    assert set("".join(codes)) == set(ALPHABET)
    assert len(ALPHABET) == 32
