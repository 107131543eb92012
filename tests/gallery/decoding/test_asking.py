"""A decoder can do nothing but answer, and whatever becomes of it touches nobody else."""

import os
import select
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.core.checks import run_checks

from accounts.turns import Busy
from gallery import checks
from gallery.decoding import asking, confining
from gallery.decoding.asking import DECODERS, Decoders
from gallery.intake import take_in
from gallery.pictures import PictureRejected
from tests.gallery.decoding.hostile_starter import AFTER_ITS_TURN, ATTEMPTS, DONE, FAILED
from tests.gallery.decoding.worker import HOSTILE
from tests.gallery.picture_files import LIMITS, plain
from tests.gallery.test_intake_changed_bytes import SAMPLES

ROOT = Path(__file__).resolve().parent.parent.parent.parent
# What a system that cannot filter calls still lets a decoder do.
UNFILTERED = {
    b"remove a file",
    b"start a process",
    b"become a program",
    b"signal its parent",
    b"run memory",
    b"take back a limit",
}


@pytest.fixture(scope="module")
def hostile():
    decoders = Decoders(HOSTILE)
    yield decoders
    decoders.stop()


@pytest.fixture(scope="module")
def unfiltered():
    decoders = Decoders(HOSTILE.with_name("unfiltered_starter.py"))
    yield decoders
    decoders.stop()


def begun(decoders, data: bytes):
    return decoders.take(data, keep_details=False, limits=LIMITS)


def outcome(decoders, data: bytes):
    """Return the picture, or the code of its refusal and what it says."""
    try:
        return begun(decoders, data).picture(b"".join)
    except PictureRejected as rejection:
        return rejection.code, rejection.facts


def children_of(process: int) -> list[int]:
    return [
        int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


def wait_for_end_of(process: int) -> None:
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 60)[0], "it runs on"
    finally:
        os.close(descriptor)


# ---- what it is for --------------------------------------------------------------------------


@pytest.mark.parametrize("keep_details", [False, True], ids=["cleaned", "kept"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_decoder_answers_as_intake_does(name, keep_details):
    def answer(take):
        try:
            return take(SAMPLES[name], keep_details=keep_details, limits=LIMITS)
        except PictureRejected as rejection:
            return rejection.code, rejection.facts

    assert answer(lambda *a, **b: DECODERS.take(*a, **b).picture(b"".join)) == answer(take_in)


# ---- what it cannot do -----------------------------------------------------------------------


@pytest.mark.skipif(not confining.filters_calls(), reason="no filter on this system")
@pytest.mark.attack("F180")
@pytest.mark.parametrize("act", ATTEMPTS, ids=bytes.decode)
def test_a_decoder_that_is_taken_over_gets_at_nothing(hostile, act):
    assert outcome(hostile, act) == ("too_large", {"size": FAILED})


@pytest.mark.attack("F180")
@pytest.mark.parametrize("act", ATTEMPTS, ids=bytes.decode)
def test_without_a_filter_of_calls_it_still_opens_and_connects_nothing(unfiltered, act):
    if act != b"become a program":  # it succeeds, and answers no more
        size = DONE if act in UNFILTERED else FAILED
        assert outcome(unfiltered, act) == ("too_large", {"size": size})


@pytest.mark.attack("F180")
def test_the_starter_has_no_environment_and_nothing_open_but_its_connections(hostile):
    begun(hostile, plain("PNG")).picture(b"".join)
    process = Path(f"/proc/{hostile.process_id}")
    assert (process / "environ").read_bytes() == b""
    assert (process / "cwd").readlink() == Path("/")
    opened = {str(one.readlink()).partition(":")[0] for one in (process / "fd").iterdir()}
    errors = str(Path("/proc/self/fd/2").readlink()).partition(":")[0]
    assert opened <= {"socket", "/dev/null", errors}


@pytest.mark.parametrize("can_filter", [True, False])
def test_an_operator_is_told_where_calls_are_not_filtered(monkeypatch, can_filter):
    monkeypatch.setattr(checks, "filters_calls", lambda: can_filter)
    found = [one.id for one in run_checks(include_deployment_checks=True)]
    assert ("gallery.W001" in found) is not can_filter


# ---- how it ends -----------------------------------------------------------------------------


@pytest.mark.attack("F181")
@pytest.mark.parametrize("act", [*AFTER_ITS_TURN, b"hang at once"], ids=bytes.decode)
def test_a_picture_that_ends_its_decoder_or_keeps_it_is_unreadable(hostile, monkeypatch, act):
    with monkeypatch.context() as impatient:
        impatient.setattr(asking, "READING_SECONDS", 0.5)
        assert outcome(hostile, act) == ("unreadable", {})
    starter = hostile.process_id
    assert outcome(hostile, plain("PNG")) == take_in(
        plain("PNG"), keep_details=False, limits=LIMITS
    )
    assert hostile.process_id == starter


@pytest.mark.attack("F181")
def test_who_is_killed_in_the_middle_takes_nobody_along(hostile):
    with closing(begun(hostile, plain("PNG"))) as others, closing(begun(hostile, b"wait")) as hers:
        *_, newest = children_of(hostile.process_id)
        os.kill(newest, signal.SIGKILL)
        with pytest.raises(PictureRejected, match="unreadable"):
            hers.picture(b"".join)
        assert others.picture(b"".join) == take_in(plain("PNG"), keep_details=False, limits=LIMITS)


@pytest.mark.attack("F181")
def test_a_decoder_nobody_waits_for_any_more_is_killed(hostile):
    decoding = begun(hostile, b"wait")
    *_, process = children_of(hostile.process_id)
    decoding.close()
    wait_for_end_of(process)


@pytest.mark.attack("F181")
def test_a_killed_starter_is_replaced_and_pictures_under_it_are_not_to_blame(hostile):
    decoding, starter = begun(hostile, plain("PNG")), hostile.process_id
    *_, process = children_of(starter)
    os.kill(starter, signal.SIGKILL)
    wait_for_end_of(process)
    with pytest.raises(Busy):
        decoding.picture(b"".join)
    assert outcome(hostile, plain("PNG")).format == "PNG"
    assert hostile.process_id != starter


# ---- with its worker -------------------------------------------------------------------------


def worker(what: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.gallery.decoding.worker", what]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.attack("F181")
def test_decoders_end_with_a_worker_that_is_killed():
    with worker("wait to be killed") as process:
        starter = int(process.stdout.readline())
        (decoder,) = children_of(starter)
        process.kill()
    for left in (starter, decoder):
        wait_for_end_of(left)


def test_a_process_that_was_forked_has_decoders_of_its_own():
    with worker("fork") as process:
        said = process.stdout.read().split()
    assert len(set(said)) == 2
    for starter in said:
        wait_for_end_of(int(starter))
