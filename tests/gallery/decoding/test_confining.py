"""The filter of a decoder's system calls, on each processor that we know, also where the tests run
on another: its numbers are the kernel's, and its steps say what they should."""

import os
import re
from pathlib import Path

import pytest

from gallery.decoding import confining
from gallery.decoding.confining import ALLOW, EQUAL, KILL, LOAD, PROCESSORS, REFUSE, RETURN, UNKNOWN

HEADERS = Path("/usr/include")  # of Debian's linux-libc-dev
TABLES = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
NUMBER = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", re.MULTILINE)
ELSE = {
    "mmap": confining.MMAP,
    "mprotect": confining.MPROTECT,
    "clone": confining.CLONE,
    "clone3": confining.CLONE3,
}
MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
OTHER_CALLS = {
    "x86_64": {"open": 2, "socket": 41, "connect": 42, "fork": 57, "execve": 59, "kill": 62},
    "aarch64": {"openat": 56, "kill": 129, "socket": 198, "connect": 203, "execve": 221},
}
PROT_READ, PROT_EXEC, SIGCHLD = 1, 4, 17
processors = pytest.mark.parametrize("processor", PROCESSORS)


def verdict(processor: str, number: int, *, at: int = 0, first: int = 0, third: int = 0) -> int:
    """Return what the filter says of a call, running its steps as the kernel does."""
    given = {0: number, 4: at or PROCESSORS[processor], 16: first, 32: third}
    steps, place, held = confining.filter_of(processor), 0, 0
    while True:
        code, if_true, if_false, operand = steps[place]
        place += 1
        if code == RETURN:
            return operand
        if code == LOAD:
            held = given[operand]
        else:
            place += if_true if (held == operand if code == EQUAL else held & operand) else if_false


@pytest.mark.attack("F180")
@processors
def test_numbers_of_calls_are_the_kernels(processor):
    table, constants = (HEADERS / TABLES[processor], HEADERS / "linux/elf-em.h")
    if not (table.exists() and constants.exists()):
        assert not os.environ.get("NOTHING_MAY_BE_MISSING"), "linux-libc-dev is missing"
        pytest.skip("the kernel's headers are not here")
    numbers = {name: int(number) for name, number in NUMBER.findall(table.read_text())}
    which = list(PROCESSORS).index(processor)
    for name, ours in {**confining.CALLS, **ELSE}.items():
        assert (name, ours[which]) == (name, numbers[name])
    for name, number in OTHER_CALLS[processor].items():
        assert numbers[name] == number
    machine = re.search(rf"{MACHINES[processor]}\s+(\d+)", constants.read_text())[1]
    assert PROCESSORS[processor] == 0xC0000000 | int(machine)  # linux/audit.h: 64 bits, little end


@pytest.mark.attack("F180")
@processors
def test_listed_calls_pass_and_no_others_do(processor):
    which = list(PROCESSORS).index(processor)
    listed = {numbers[which] for numbers in confining.CALLS.values()}
    special = {numbers[which] for numbers in ELSE.values()}
    for number in range(1000):
        if number not in special:
            assert verdict(processor, number) == (ALLOW if number in listed else REFUSE)
    assert listed.isdisjoint(OTHER_CALLS[processor].values())


@pytest.mark.attack("F180")
@processors
def test_memory_that_runs_and_processes_are_refused(processor):
    which = list(PROCESSORS).index(processor)
    for numbers in (confining.MMAP, confining.MPROTECT):
        assert verdict(processor, numbers[which], third=PROT_READ) == ALLOW
        assert verdict(processor, numbers[which], third=PROT_READ | PROT_EXEC) == REFUSE
    clone = confining.CLONE[which]
    assert verdict(processor, clone, first=confining.CLONE_THREAD) == ALLOW
    assert verdict(processor, clone, first=SIGCHLD) == REFUSE
    assert verdict(processor, confining.CLONE3[which]) == UNKNOWN


@pytest.mark.attack("F180")
@processors
def test_a_call_of_another_processor_ends_the_decoder(processor):
    for other in (0x40000003, *PROCESSORS.values()):  # i386, whose numbers mean other calls
        if other != PROCESSORS[processor]:
            assert verdict(processor, 0, at=other) == KILL
