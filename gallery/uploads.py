"""Receiving files: in memory, under a hard cap, never in a temporary file."""

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from accounts.unlocking import keyring_of

ADDRESS = "gallery:upload"


class MemoryUploadHandler(FileUploadHandler):
    """Keeps each file in memory up to MAX_UPLOAD_BYTES.

    Of a longer file nothing is kept but its length, so that it can be named as too large while
    the others go on. Nothing at all is kept of somebody who is not unlocked, or of a file sent to
    any other address: it would be held in vain.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.kept = BytesIO()
        self.limit = settings.MAX_UPLOAD_BYTES if self._is_wanted() else 0

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

    def _is_wanted(self) -> bool:
        place = self.request.resolver_match
        return place is not None and place.view_name == ADDRESS and bool(keyring_of(self.request))
