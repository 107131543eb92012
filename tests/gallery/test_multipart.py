"""What Django's parser leaves out without a word is stored here, or refuses the request."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.models import SealedImage
from gallery.multipart import Body, CutShort, Malformed
from tests.conftest import jpeg
from tests.gallery.test_uploading import ADDRESS, nothing_was_stored, stored_files

JSON = {"accept": "application/json"}
BOUNDARY = b"a-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY.decode()}"
GOOD = b'form-data; name="images"; filename="good.jpg"'


def part(disposition: bytes, data: bytes = b"", *more: bytes) -> bytes:
    lines = [b"--" + BOUNDARY, b"Content-Disposition: " + disposition, *more, b"", data]
    return b"\r\n".join(lines) + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def send(person, body: bytes):
    return person.sign_in().generic("POST", ADDRESS, body, content_type=FORM, headers=JSON)


# ---- stored under what is left of its name ---------------------------------------------------

STORED = {
    "Latin-1": (b'form-data; name="images"; filename="\xe9t\xe9.jpg"', "\ufffdt\ufffd.jpg"),
    "UTF-16": (b'form-data; name="images"; filename="a\0.\0j\0"', "a.j"),
    "UTF-8, cut": (b'form-data; name="images"; filename="\xc3"', "\ufffd"),
    "percent-encoded, not UTF-8": (
        b"form-data; name=images; filename*=UTF-8''%ff.jpg",
        "\ufffd.jpg",
    ),
    "percent-encoded, Latin-1": (b"form-data; name=images; filename*=latin-1''%e9.jpg", "é.jpg"),
    "empty": (b'form-data; name="images"; filename=""', "image"),
    "no quotes": (b"form-data; name=images; filename=", "image"),
    "dots": (b'form-data; name="images"; filename=".."', "image"),
    "a folder": (b'form-data; name="images"; filename="C:\\holidays\\"', "image"),
    "another case": (b'Form-Data; Name="images"; FileName="a.jpg"', "a.jpg"),
    "with spaces": (b'form-data; name=" images "; filename="  "', "image"),
    "controls only": (b'form-data; name="images"; filename="\x01\x02"', "image"),
}


@pytest.mark.attack("F47")
@pytest.mark.parametrize(("disposition", "shown"), STORED.values(), ids=STORED.keys())
def test_a_file_with_an_odd_name_is_stored_beside_the_good_ones(alice, disposition, shown):
    body = form(part(GOOD, jpeg()), part(disposition, jpeg("maroon")), part(GOOD, jpeg("navy")))
    answer = send(alice, body)
    assert answer.status_code == 201
    addresses = [image["url"] for image in answer.json()["images"]]
    names = [alice.client.get(address, headers=JSON).json()["name"] for address in addresses]
    assert names == ["good.jpg", shown, "good.jpg"]


# ---- refused whole ---------------------------------------------------------------------------

FILE = b'form-data; name="images"; filename="a.jpg"'
REFUSED = {
    "no name": part(b'form-data; filename="a.jpg"', jpeg()),
    "no disposition": b"--" + BOUNDARY + b"\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg() + b"\r\n",
    "no headers": b"--" + BOUNDARY + b"\r\n\r\n" + jpeg() + b"\r\n",
    "no end of headers": b"--" + BOUNDARY + b"\r\nContent-Disposition: " + FILE + b"\r\n",
    "another disposition": part(b'attachment; name="images"; filename="a.jpg"', jpeg()),
    "two dispositions": part(FILE, jpeg(), b"Content-Disposition: " + FILE),
    "a header that is none": part(FILE, jpeg(), b"what is this"),
    "a folded header": part(b'form-data; name="images";', jpeg(), b' filename="a.jpg"'),
    "a space before the colon": part(FILE, jpeg(), b"Content-Type : image/jpeg"),
    "headers too long": part(FILE, jpeg(), b"X: " + b"x" * 5000),
    "name too long": part(b'form-data; name="images"; filename="' + b"x" * 5000 + b'"', jpeg()),
    "an unknown character set": part(b"form-data; name=images; filename*=no-such''a.jpg", jpeg()),
    "base64": part(FILE, b"/9j/", b"Content-Transfer-Encoding: base64"),
    "quoted-printable": part(FILE, b"=FF", b"Content-Transfer-Encoding: quoted-printable"),
    "parts within a part": part(FILE, jpeg(), b"Content-Type: multipart/mixed; boundary=inner"),
    "another boundary": b"--"
    + BOUNDARY
    + b"-too\r\nContent-Disposition: "
    + FILE
    + b"\r\n\r\nx\r\n",
    "after the last": part(FILE, jpeg()) + b"--" + BOUNDARY + b"--\r\n" + part(FILE, jpeg()),
    "lines without CR": part(FILE, jpeg()).replace(b"\r\n", b"\n"),
}


@pytest.mark.attack("F47")
@pytest.mark.parametrize("odd", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_part_that_cannot_be_read_refuses_all(alice, odd, place):
    before, good = stored_files(), part(GOOD, jpeg())
    answer = send(alice, form(odd, good) if place == "first" else form(good, odd))
    assert answer.status_code == 400
    assert answer.json()["code"] in ("bad_request", "cut_short")
    assert nothing_was_stored(before)


@pytest.mark.attack("F47")
def test_what_stands_before_the_first_part_refuses_all(alice):
    answer = send(alice, b"for old readers\r\n" + form(part(GOOD, jpeg())))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


# ---- read, and named in the answer -----------------------------------------------------------


@pytest.mark.attack("F47")
@pytest.mark.parametrize(
    "odd",
    [
        part(b'form-data; name="image"; filename="a.jpg"', jpeg()),
        part(b'form-data; name="images[]"; filename="a.jpg"', jpeg()),
        part(b'form-data; name=""; filename="a.jpg"', jpeg()),
        part(b'form-data; name="images\xff"; filename="a.jpg"', jpeg()),
        part(b'form-data; name="images"', jpeg()),
    ],
    ids=["image", "images[]", "no name", "not UTF-8", "as a field"],
)
def test_a_file_sent_as_something_else_is_named_and_nothing_is_stored(alice, odd):
    before = stored_files()
    answer = send(alice, form(part(GOOD, jpeg()), odd))
    assert answer.status_code == 422
    assert answer.json()["errors"]["images"][0]["code"] == "not_among_images"
    assert nothing_was_stored(before)


def test_the_file_nobody_chose_is_none(alice):
    nobody_chose = part(b'form-data; name="images"; filename=""', b"")
    assert send(alice, form(nobody_chose)).json()["errors"]["images"][0]["code"] == "required"
    assert send(alice, form(nobody_chose, part(GOOD, jpeg()))).status_code == 201


@pytest.mark.attack("F47")
def test_a_boundary_inside_a_file_does_not_end_it(alice):
    picture = jpeg()
    within = picture[:2] + b"\xff\xfe\0\x18 --" + BOUNDARY + b"--  -- x" + picture[2:]
    answer = send(alice, form(part(FILE, within), part(b'form-data; name="keep_details"', b"1")))
    assert answer.status_code == 201
    address = answer.json()["images"][0]["url"]
    assert alice.client.get(f"{address}original").getvalue() == within


@pytest.mark.attack("F47")
def test_empty_lines_around_a_form_are_no_part_of_it(alice):
    assert send(alice, b"\r\n" + form(part(GOOD, jpeg())) + b"\r\n\r\n").status_code == 201
    assert SealedImage.objects.count() == 1


# ---- the reader alone ------------------------------------------------------------------------


class Slow(BytesIO):
    """Gives at most so many bytes at once, as a network does."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self.step = step

    def read(self, size: int = -1, /) -> bytes:
        return super().read(min(size, self.step))


def read(body: bytes, step: int = 65536) -> list[tuple[str, str | None, bytes]]:
    stream = Slow(body, step)
    parts = Body(stream, length=len(body), boundary=BOUNDARY)
    return [(part.name, part.file_name, b"".join(part.data)) for part in parts]


near_boundaries = st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n--", BOUNDARY, BOUNDARY[:-1], b"x"])
).map(b"".join)


@pytest.mark.attack("F47")
@given(near_boundaries, st.integers(1, 40))
def test_any_bytes_come_back_however_the_network_cuts_them(data, step):
    if b"\r\n--" + BOUNDARY in b"\r\n" + data + b"\r\n":
        return
    body = form(part(FILE, data), part(b'form-data; name="caption"', data))
    assert read(body, step) == [("images", "a.jpg", data), ("caption", None, data)]
    for cut in range(0, len(body) - 2, 5):
        with pytest.raises((CutShort, Malformed)):
            read(body[:cut], step)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_whatever_is_sent_is_read_or_refused(headers, data):
    body = form(b"--" + BOUNDARY + b"\r\n" + headers + b"\r\n\r\n" + data + b"\r\n")
    try:
        read(body)
    except (CutShort, Malformed):
        return


@given(st.text(max_size=100))
def test_any_disposition_is_read_or_refused(text):
    body = form(part(b"form-data; " + text.encode("utf-8", "surrogatepass"), b"data"))
    try:
        read(body)
    except (CutShort, Malformed):
        return
