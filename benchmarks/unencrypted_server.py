"""The server with addresses beside its own that do the same with the same bytes unencrypted, or
encrypted and not verified."""

from collections.abc import Callable

from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from imageshare import start

Answering = Callable[[HttpRequest], HttpResponseBase]
OTHERS = ("/plain/", "/unverified/")


def add_addresses() -> None:
    from django.conf import settings

    settings.ROOT_URLCONF = "benchmarks.unencrypted"
    settings.MIDDLEWARE = [f"{__spec__.name}.forms_by_django", *settings.MIDDLEWARE]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.MAX_REQUEST_BYTES  # the site's own, for them


def forms_by_django(get_response: Answering) -> Answering:
    """Have Django's own handlers read forms; the site's drop files sent to any other address."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(OTHERS):
            handlers = [MemoryFileUploadHandler(request), TemporaryFileUploadHandler(request)]
            request.upload_handlers = handlers
        return get_response(request)

    return answer


if __name__ == "__main__":
    start.main(add_addresses)
