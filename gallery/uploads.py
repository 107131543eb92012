"""Receiving forms: strictly, and their files in memory, under a hard cap, never in a temporary
file."""

from collections.abc import Mapping
from io import BytesIO
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from accounts.web.unlocking import keyring_of
from gallery.multipart import Body, Part, Stream

ADDRESS = "gallery:upload"
FIELD = "images"


class MemoryUploadHandler(FileUploadHandler):
    """Reads a form whole, or refuses it (gallery/multipart.py); keeps each file in memory up to
    MAX_UPLOAD_BYTES.

    Of a longer file nothing is kept but its length, so that it can be named as too large while
    the others go on. Nothing at all is kept of somebody who is not unlocked, or of a file sent to
    any other address or under any other name: it would be held in vain.
    """

    request: HttpRequest  # Django gives each handler the request it reads

    def handle_raw_input(  # type: ignore[override]  # Django hands bytes, its stubs say text
        self,
        input_data: Stream,
        meta: Mapping[str, Any],
        content_length: int,
        boundary: bytes,
        encoding: str | None = None,
    ) -> tuple[QueryDict, "MultiValueDict[str, UploadedFile[bytes]]"]:
        """Return the form's fields and files, in place of what Django's parser would make of it.

        Raises Malformed or CutShort; over a cap TooManyFieldsSent, TooManyFilesSent or
        RequestDataTooBig.
        """
        fields, file_count = Fields(), 0
        files: MultiValueDict[str, UploadedFile[bytes]] = MultiValueDict()
        for part in Body(input_data, length=content_length, boundary=boundary):
            if part.file_name is None:
                fields.take(part)
            elif (file := self._take(part)) is not None:
                file_count += 1
                if file_count > settings.DATA_UPLOAD_MAX_NUMBER_FILES:
                    raise TooManyFilesSent("too many files")
                files.appendlist(part.name, file)
        return fields.as_sent(), files

    def _take(self, part: Part) -> "UploadedFile[bytes] | None":
        """Return a file, or None where nobody chose one: browsers send that as an empty file
        without a name."""
        first = next(part.data, b"")
        if not part.file_name and not first:
            return None
        self.new_file(part.name, without_folders(part.file_name or ""), "", None)
        length = 0
        for data in chain([first], part.data):
            self.receive_data_chunk(data, length)
            length += len(data)
        return self.file_complete(length)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.kept = BytesIO()
        place = self.request.resolver_match
        is_upload = place is not None and place.view_name == ADDRESS and self.field_name == FIELD
        is_wanted = is_upload and keyring_of(self.request)
        self.limit = settings.MAX_UPLOAD_BYTES if is_wanted else 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) <= self.limit:
            self.kept.write(raw_data)
        else:
            self.kept = BytesIO()

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        # Cut to its length, so that read() makes no copy; and held by nobody but the file.
        whole, self.kept = self.kept.getvalue(), BytesIO()
        return InMemoryUploadedFile(
            file=BytesIO(whole),
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )


class Fields:
    """The fields of a form, as many and as long as Django's settings allow."""

    def __init__(self) -> None:
        self._sent = QueryDict(mutable=True)
        self._count = self._length = 0

    def take(self, part: Part) -> None:
        self._count += 1
        if self._count > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            raise TooManyFieldsSent("too many fields")
        value = bytearray()
        for piece in part.data:
            self._length += len(piece)
            if self._length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                raise RequestDataTooBig("the fields are too long")
            value += piece
        self._sent.appendlist(part.name, value.decode("utf-8", "replace"))

    def as_sent(self) -> QueryDict:
        self._sent._mutable = False
        return self._sent


def without_folders(untrusted_name: str) -> str:
    """Return a file's own name, or a neutral one: Django takes a file without a name for none."""
    name = untrusted_name.replace("\\", "/").rpartition("/")[2]
    return "image" if name in {"", ".", ".."} else name
