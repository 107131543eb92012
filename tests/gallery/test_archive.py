"""A ZIP that is sent while it is made, and names that may be unpacked anywhere."""

import io
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import pytest

from gallery.archive import NAME_BYTES, Archive, Names

NOON = datetime(2026, 11, 30, 12, 0, 2, tzinfo=UTC)
FILES = {"lake.jpg": b"l" * 300_000, "Gebäude 🏠.png": b"", "日本.webp": bytes(range(256))}


def sent(files, time=NOON):
    """Return an archive, and the bytes of its files without the directory."""
    archive = Archive()
    pieces = [
        piece
        for name, data in files.items()
        for piece in archive.file(name, time, lambda data=data: in_pieces(data))
    ]
    return archive, b"".join(pieces)


def in_pieces(data):
    return (data[start : start + 1000] for start in range(0, len(data), 1000))


def zipped(files, time=NOON):
    archive, data = sent(files, time)
    return ZipFile(io.BytesIO(data + archive.end()))


def test_it_opens_and_holds_what_was_put_in_stored():
    with zipped(FILES) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        for info in archive.infolist():
            assert info.compress_type == ZIP_STORED
            assert info.compress_size == info.file_size
            assert info.date_time == (2026, 11, 30, 12, 0, 2)
            assert info.external_attr >> 16 == 0o600


def test_lengths_stand_before_the_bytes():
    _, data = sent(FILES)
    assert int.from_bytes(data[6:8], "little") & 1 << 3 == 0  # no data descriptor behind them
    assert int.from_bytes(data[22:26], "little") == 300_000


@pytest.mark.skipif(not shutil.which("unzip"), reason="there is no unzip here")
def test_another_program_finds_no_fault_in_it(tmp_path):
    archive, data = sent(FILES)
    (tmp_path / "all.zip").write_bytes(data + archive.end())
    tested = subprocess.run(["unzip", "-t", "all.zip"], cwd=tmp_path, capture_output=True)
    assert (tested.returncode, tested.stderr) == (0, b"")


def test_without_its_end_it_opens_nowhere():
    _, data = sent(FILES)
    with pytest.raises(BadZipFile):
        ZipFile(io.BytesIO(data))


def test_broken_off_behind_a_picture_that_is_a_zip_too_it_opens_as_that():
    """A limit that the documents state."""
    inner = io.BytesIO()
    with ZipFile(inner, "w") as archive:
        archive.writestr("inner.txt", b"")
    _, data = sent({"first.jpg": b"first", "second.jpg": inner.getvalue()})
    assert ZipFile(io.BytesIO(data)).namelist() == ["inner.txt"]


def test_what_lies_beyond_four_gigabytes_is_found(tmp_path):
    archive, data = sent({"first.jpg": b"first"})
    beyond = 2**32 + 10
    archive._directory.position = beyond
    (header, *pieces) = archive.file("last.jpg", NOON, lambda: iter([b"last"]))
    with (tmp_path / "large.zip").open("wb") as file:  # a hole between them takes no space
        file.write(data)
        file.seek(beyond)
        file.write(b"".join((header, *pieces, archive.end())))
    with ZipFile(tmp_path / "large.zip") as read:
        assert (read.read("first.jpg"), read.read("last.jpg")) == (b"first", b"last")


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (datetime(1900, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(9998, 1, 1, tzinfo=UTC), (2107, 12, 31, 0, 0, 0)),
        (NOON.astimezone(timezone(timedelta(hours=9))), (2026, 11, 30, 12, 0, 2)),
    ],
)
def test_a_time_is_in_utc_and_one_that_a_zip_can_say(time, said):
    with zipped({"lake.jpg": b"lake"}, time) as archive:
        assert archive.infolist()[0].date_time == said


# ---- names -----------------------------------------------------------------------------------

EVIL = {
    "../../etc/passwd": "_.._etc_passwd.jpg",
    "..": "image.jpg",
    "": "image.jpg",
    ".jpg": "image.jpg",
    "C:\\windows\\win.ini": "C__windows_win.ini.jpg",
    "a\x00b\nc\x1b[31m\x7f.jpg": "abc[31m.jpg",
    "gpj\u202egnp.exe": "gpjgnp.exe.jpg",
    "\u2066lake\u2069\u200f.jpg": "lake.jpg",
    "lake\ud800.jpg": "lake.jpg",
    "con.jpg": "_con.jpg",
    "Nul": "_Nul.jpg",
    "COM¹.lake.jpg": "_COM¹.lake.jpg",
    "lpt1 .lake.jpg": "_lpt1 .lake.jpg",
    "lake. . .jpg": "lake.jpg",
    "LAKE.JPG": "LAKE.JPG",
    "lake.jpeg": "lake.jpeg",
    "lake.png": "lake.png.jpg",
    "~lake|?.jpg": "~lake__.jpg",
    "می\u200cخواهم.jpg": "می\u200cخواهم.jpg",
    "👩\u200d⚕️.jpg": "👩\u200d⚕️.jpg",
}


@pytest.mark.attack("F97")
@pytest.mark.parametrize("name", EVIL, ids=range(len(EVIL)))
def test_a_name_leads_nowhere_and_hides_nothing(name):
    assert Names().take(name, ".jpg", ".jpeg") == EVIL[name]


@pytest.mark.parametrize("letter", ["x", "ä", "日", "🏠"])
def test_a_long_name_is_cut_between_characters(letter):
    name = Names().take(letter * 300 + ".jpg", ".jpg")
    assert name == letter * (NAME_BYTES // len(letter.encode())) + ".jpg"


def test_no_name_comes_twice_whatever_its_case_or_composition():
    names = Names("list.txt")
    asked = ["IMG_1.jpg", "img_1.JPG", "IMG_1.jpg", "Img_1.jpg", "IMG_1 (2).jpg"]
    asked += ["Gr\u00fcn.jpg", "Gru\u0308n.jpg"]
    assert [names.take(name, ".jpg") for name in asked] == [
        *("IMG_1.jpg", "img_1 (2).JPG", "IMG_1 (3).jpg", "Img_1 (4).jpg", "IMG_1 (2) (2).jpg"),
        *("Gr\u00fcn.jpg", "Gr\u00fcn (2).jpg"),
    ]
    assert names.take("LIST", ".txt") == "LIST (2).txt"
