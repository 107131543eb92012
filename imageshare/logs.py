"""What our own lines of the log may not say."""

import logging
import re

# An address with a token in it makes an account or sets a password for anybody who reads the log.
TOKEN = re.compile(r"(/(?:accounts/(?:invite|reset/[0-9a-f-]{36})|invitations)/)[^\s/?#'\"]+")


class OneLine(logging.Filter):
    """Takes the traceback from what Django logs of a client's fault, or of having no place free:
    the status says it all.

    A client that sends too much, or what cannot be read, or too often at once, would write a page
    of the log each time.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if getattr(error, "in_one_line", False) or getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True


class HideTokens(logging.Filter):
    """Takes the token out of every address that has one: Django logs the path it refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if TOKEN.search(line):
            record.msg, record.args = TOKEN.sub(r"\1…", line), ()
        return True
