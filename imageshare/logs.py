"""What our own lines of the log may not say."""

import logging
import re

# An address with a token in it makes an account or sets a password, for whoever reads the log.
TOKEN = re.compile(r"(/accounts/(?:invite|reset/[0-9a-f-]{36})/)[^\s/?#'\"]+")


class HideTokens(logging.Filter):
    """Takes the token out of every address that has one: Django logs the path it refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if TOKEN.search(line):
            record.msg, record.args = TOKEN.sub(r"\1…", line), ()
        return True
