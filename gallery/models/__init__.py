"""What gallery keeps in the database."""

from gallery.models.acknowledgements import Acknowledgement
from gallery.models.circles import (
    Circle,
    Member,
    Placement,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.models.images import Ended, Grant, Listed, Rendition, Rights, SealedImage, Statement
from gallery.models.invitations import Invitation, InvitedGrant
from gallery.models.notice_choices import NoticeChoice
from gallery.models.notices import Notice, NoticeHead
from gallery.models.search import SearchEntry

# What its owner signs statements about, and the rows that such a list covers.
Subject = SealedImage | Circle
Row = Grant | Member | Placement | InvitedGrant

__all__ = [
    "Acknowledgement",
    "Circle",
    "Ended",
    "Grant",
    "Invitation",
    "InvitedGrant",
    "Listed",
    "Member",
    "Notice",
    "NoticeChoice",
    "NoticeHead",
    "Placement",
    "Rendition",
    "Rights",
    "Row",
    "SealedImage",
    "SearchEntry",
    "Statement",
    "Subject",
    "SuccessorCircleKey",
    "SuccessorKey",
]
