"""Acts that end an access, each against openings of what it ends, again and again; and taking over
against another successor, the owner and staff."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element, parse

from benchmarks.faults.table import Table
from tests.e2e.server import ROOT

RACES = 100
TESTS = ["tests/concurrency/test_ends.py", "tests/concurrency/test_successors.py"]


def race(folder: Path, table: Table) -> None:
    """One picture that came too late, or anything else that does not pass, is bad. With SQLite, or
    the server that TEST_POSTGRES names; as many processes as there are cores."""
    report = folder / "races.xml"
    words = ["-q", "-n", str(os.cpu_count()), "--dist", "load", f"--junitxml={report}", *TESTS]
    environment = {**os.environ, "RACES": str(RACES)}
    subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, env=environment)
    cases = list(parse(report).iter("testcase"))
    tried, before, bad = Counter[str](), Counter[str](), Counter[str]()
    for one in (found for case in cases for found in case.iter("property")):
        races, opened, too_late = map(int, one.attrib["value"].split())
        what = one.attrib["name"]
        tried[what] += races
        before[what] += opened
        bad[what] += too_late
    for what in tried:
        table.row(f"{what} (pictures before it: {before[what]})", tried[what], bad[what])
    table.row("worlds in which a test of races failed", len(cases), sum(map(_has_failed, cases)))


def _has_failed(case: Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None
