"""The pictures of one upload: decoded side by side, handed on in the order of their files."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.views.decorators.debug import sensitive_variables

from accounts import throttle
from accounts.models import User
from accounts.throttle import Throttled
from accounts.turns import Busy
from gallery.decoding.asking import DECODERS, DecoderLost, Decoding
from gallery.decoding.turns import DECODING
from gallery.pictures import Limits, Picture, PictureRejected
from gallery.sealing import Received

# What the costliest pictures take of a core. Who keeps a decoder longer pays by time.
MEGAPIXELS_A_SECOND = 20


def limits() -> Limits:
    return Limits(
        max_bytes=settings.MAX_UPLOAD_BYTES,
        max_pixels=settings.MAX_PIXELS,
        max_frames=settings.MAX_FRAMES,
    )


class Coming:
    """The picture that is to come of one file of a person's upload."""

    def __init__(self, person: User, file: "UploadedFile[bytes]") -> None:
        self._person = person
        self.file = file
        self._megapixels = 0
        self._decoding: Decoding | None = None
        self._picture: Future[Picture[Received]] = Future()

    @sensitive_variables()
    def begin(self, threads: ThreadPoolExecutor, *, keep_details: bool) -> None:
        """Read the file's headers, count what it costs, and have it decoded in its turn."""
        try:
            size = self.file.size or 0
            if size > settings.MAX_UPLOAD_BYTES:
                raise PictureRejected("too_large", size=size)
            with self.file:  # lets go of its bytes: the decoder has them
                self._decoding = DECODERS.take(
                    self.file.read(), keep_details=keep_details, limits=limits()
                )
            self._megapixels = -(-self._decoding.pixels // 1_000_000)
            self._count(self._megapixels)
        except Exception as error:  # told in this file's turn, as those of decoding are
            self._picture.set_exception(error)
            self._close()
        else:
            self._picture = threads.submit(self._decode, self._decoding, threads)

    def picture(self) -> Picture[Received]:
        """Return it. Raises PictureRejected, Throttled, Busy, or what kept the cost from being
        counted; what was not decoded for want of a turn cost nothing."""
        try:
            return self._picture.result()
        except Busy:
            throttle.take_back("pixels", str(self._person.pk), amount=self._megapixels)
            raise
        except DecoderLost as lost:
            with suppress(Throttled):  # the next one hears of it
                self._count(math.ceil(lost.seconds * MEGAPIXELS_A_SECOND))
            raise

    def abandon(self) -> None:
        self._picture.cancel()
        self._close()

    def _close(self) -> None:
        if self._decoding:
            self._decoding.close()

    def _count(self, megapixels: int) -> None:
        limit = settings.UPLOAD_MEGAPIXELS_PER_HOUR
        throttle.count("pixels", str(self._person.pk), limit=limit, amount=megapixels)

    def _decode(self, decoding: Decoding, upload: object) -> Picture[Received]:
        """Wait for a turn, and encrypt what comes. In a thread of its own, which asks nothing of a
        database."""
        with (
            closing(decoding),
            DECODING.turn(self._person.pk, decoding.pixels, decoding.held_pixels, upload=upload),
        ):
            return decoding.picture(Received.of)


def pictures_of(
    person: User, files: Iterable["UploadedFile[bytes]"], *, keep_details: bool
) -> Iterator[Coming]:
    """Yield what is to come of each file. While one is sealed, the next ones are decoded."""
    coming: deque[Coming] = deque()
    with ThreadPoolExecutor(DECODING.at_once) as threads:
        try:
            for file in files:
                coming.append(Coming(person, file))
                coming[-1].begin(threads, keep_details=keep_details)
                if len(coming) == DECODING.at_once:
                    yield coming.popleft()
            while coming:
                yield coming.popleft()
        finally:
            for one in coming:
                one.abandon()
