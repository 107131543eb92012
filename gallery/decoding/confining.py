"""What a decoder gives up before it reads a byte of a picture. Nothing of it comes back.

Limits of the system's resources hold on every system we run on. The list of allowed system calls
(seccomp, mode 2) is Linux's, on the processors we know the numbers of; docs/threat-model.md says
what is missing elsewhere.
"""

import ctypes
import platform
import resource
import signal
import sys
from contextlib import suppress

# Of <sys/prctl.h>, <linux/seccomp.h> and <linux/bpf_common.h>.
PR_SET_PDEATHSIG, PR_GET_SECCOMP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 21, 22, 38
FILTER_MODE = 2
# What becomes of a call. Refused, it fails with EPERM; unknown, with ENOSYS, as on an old kernel.
ALLOW, REFUSE, UNKNOWN, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
# Where struct seccomp_data has the call's number, the processor, and lower halves of arguments.
NUMBER_AT, PROCESSOR_AT, FIRST_AT, THIRD_AT = 0, 4, 16, 32
PROT_EXEC, CLONE_THREAD = 4, 0x10000

PROCESSORS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# What decoding takes, and its number on each of these processors: the connection it has, memory,
# threads (libde265 starts one), the time, and an end. Nothing that opens, connects, starts, signals
# or looks at another process.
CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "exit": (60, 93),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
# Not for memory that can be run as a program.
MMAP, MPROTECT = (9, 222), (10, 226)
# For threads alone, not processes; of clone3 a filter cannot see which, and then clone is used.
CLONE, CLONE3 = (56, 220), (435, 435)


class Instruction(ctypes.Structure):
    """One step of a filter (struct sock_filter): `if_true` and `if_false` say how many to skip."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("operand", ctypes.c_uint32),
    )


class Program(ctypes.Structure):
    """A whole filter (struct sock_fprog)."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Instruction)))


def die_with_parent() -> None:
    """Have this process killed when the thread that started it ends. Linux alone knows how."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def confine(*, memory_bytes: int, seconds: int) -> None:
    """Leave this process one connection, so much memory more, and so much of a processor."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory is short, a decoder goes before anything else
    limits = {
        resource.RLIMIT_AS: _address_space() + memory_bytes,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,  # a picture's plaintext would be on a disk
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,  # nothing more is opened; what is open stays so
    }
    for which, limit in limits.items():
        resource.setrlimit(which, (limit, limit))
    if filters_calls():
        _allow_only_listed_calls()


def filters_calls() -> bool:
    """Whether decoders on this system are held to the list of calls."""
    if sys.platform != "linux" or platform.machine() not in PROCESSORS:
        return False
    try:
        _prctl(PR_GET_SECCOMP)
    except OSError:  # a kernel built without it
        return False
    return True


def _address_space() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 2**30


def filter_of(processor: str) -> list[tuple[int, int, int, int]]:
    """Return the steps by which the kernel allows the listed calls and refuses everything else."""
    which = list(PROCESSORS).index(processor)
    steps = [
        (LOAD, 0, 0, PROCESSOR_AT),
        (EQUAL, 1, 0, PROCESSORS[processor]),
        (RETURN, 0, 0, KILL),  # a number means another call there
        (LOAD, 0, 0, NUMBER_AT),
    ]
    for numbers in CALLS.values():
        steps += [(EQUAL, 0, 1, numbers[which]), (RETURN, 0, 0, ALLOW)]
    for numbers in (MMAP, MPROTECT):
        steps += [
            (EQUAL, 0, 4, numbers[which]),
            (LOAD, 0, 0, THIRD_AT),
            (ANY_BIT, 0, 1, PROT_EXEC),
            (RETURN, 0, 0, REFUSE),
            (RETURN, 0, 0, ALLOW),
        ]
    steps += [
        (EQUAL, 0, 3, CLONE[which]),
        (LOAD, 0, 0, FIRST_AT),
        (ANY_BIT, 0, 2, CLONE_THREAD),
        (RETURN, 0, 0, ALLOW),
        (EQUAL, 1, 0, CLONE3[which]),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, UNKNOWN),
    ]
    return steps


def _allow_only_listed_calls() -> None:
    steps = filter_of(platform.machine())
    array = (Instruction * len(steps))(*(Instruction(*step) for step in steps))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.byref(Program(len(steps), array)))


def _prctl(*arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [
        ctypes.c_ulong(word) if isinstance(word, int) else word for word in (*arguments, 0, 0, 0)
    ]
    if libc.prctl(*words[:5]) < 0:
        raise OSError(ctypes.get_errno(), "prctl")
