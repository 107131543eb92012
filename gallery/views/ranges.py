"""Which part of a picture is asked for: one range of bytes (RFC 9110 section 14), or all of it."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest

# Several ranges at once, other units and what is no range may be ignored (section 14.2).
ONE_RANGE = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))")


@dataclass(frozen=True)
class Part:
    """The bytes from `start` up to `stop` of `whole`; none of them where the status is 416."""

    start: int
    stop: int
    whole: int
    status: HTTPStatus

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def headers(self) -> dict[str, str]:
        if self.status == HTTPStatus.OK:
            return {}
        part = f"{self.start}-{self.stop - 1}" if self.length else "*"
        return {"Content-Range": f"bytes {part}/{self.whole}"}


def part_asked_for(request: HttpRequest, whole: int, tag: str) -> Part:
    """Return what of a picture of so many bytes is asked for; `tag` is its ETag.

    A part belongs to what the client has already only if that has the same tag (`If-Range`).
    """
    everything = Part(0, whole, whole, HTTPStatus.OK)
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or not asked or request.headers.get("If-Range", tag) != tag:
        return everything
    first, last, of_the_end = asked.groups()
    if of_the_end is not None:
        start, stop = max(0, whole - int(of_the_end)), whole
    else:
        start, stop = int(first), min(int(last) + 1 if last else whole, whole)
        if last and int(last) < int(first):  # no range at all (section 14.1.1)
            return everything
    if start >= stop:
        return Part(0, 0, whole, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    return Part(start, stop, whole, HTTPStatus.PARTIAL_CONTENT)
