"""What our own lines of the log may not say."""

import logging
import re

# An address with an invite's token in it makes an account, for whoever reads the log.
INVITE = re.compile(r"(/accounts/invite/)[^\s/?#'\"]+")


class HideInvites(logging.Filter):
    """Takes the token out of every address of an invite: Django logs the path it refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if INVITE.search(line):
            record.msg, record.args = INVITE.sub(r"\1…", line), ()
        return True
