"""Putting older, genuine rows and files of an image back, as somebody who writes to the database
can."""

from dataclasses import dataclass, field
from itertools import combinations

from django.core.files.storage import storages
from django.db import models

from accounts.models import WrappedKey
from gallery.models import Grant, Rendition, SealedImage, Statement

# In the order in which rows can be inserted.
TABLES: dict[str, tuple[type[models.Model], str]] = {
    "image": (SealedImage, "pk"),
    "statements": (Statement, "subject"),
    "wrapped keys": (WrappedKey, "subject"),
    "renditions": (Rendition, "image"),
    "grants": (Grant, "image"),
}


def subsets() -> list[tuple[str, ...]]:
    """Each kind of row alone, in pairs, and all together."""
    return [*combinations(TABLES, 1), *combinations(TABLES, 2), tuple(TABLES)]


def rows_of(name, image_id):
    model, column = TABLES[name]
    return model.objects.filter(**{column: image_id}).order_by("pk")


@dataclass
class State:
    """All rows of one image, and its stored bytes, at one moment."""

    image_id: object
    rows: dict[str, list[models.Model]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, image) -> "State":
        state = cls(image.pk)
        state.rows = {name: list(rows_of(name, image.pk)) for name in TABLES}
        for rendition in state.rows["renditions"]:
            with storages["sealed"].open(rendition.storage_name) as file:
                state.files[rendition.storage_name] = file.read()
        return state

    def values(self, name) -> list[dict]:
        """The rows as dictionaries, without the cache of content keys, which opening fills."""
        columns = [
            field.attname
            for field in TABLES[name][0]._meta.concrete_fields
            if field.attname != "quick_key"
        ]
        return [{column: getattr(row, column) for column in columns} for row in self.rows[name]]

    def put_back(self, names=tuple(TABLES)) -> None:
        """Let these tables hold what they held of this image then, and nothing more of it."""
        links = dict(rows_of("grants", self.image_id).values_list("pk", "wrapped_key"))
        rows_of("grants", self.image_id).update(wrapped_key=None)
        for name in reversed(TABLES):
            if name in names and name != "image":
                rows_of(name, self.image_id)._raw_delete("default")
        for name in TABLES:
            for row in self.rows[name] if name in names else ():
                if name == "grants":
                    links[row.pk] = row.wrapped_key_id
                insert(row)
        self._link(links)
        for stored, data in self.files.items() if "renditions" in names else ():
            with open(storages["sealed"].path(stored), "wb") as file:
                file.write(data)

    def _link(self, links) -> None:
        """Point each grant to its wrapped key; where that is gone, to any of its reader's."""
        keys = {key.pk: key.key_pair.user_id for key in rows_of("wrapped keys", self.image_id)}
        for grant in rows_of("grants", self.image_id):
            theirs = [key for key, person in keys.items() if person == grant.reader_id]
            link = links.get(grant.pk) if links.get(grant.pk) in keys else next(iter(theirs), None)
            if link and (grant.ended_at is None or links.get(grant.pk) == link):
                Grant.objects.filter(pk=grant.pk).update(wrapped_key=link)


def insert(row) -> None:
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    if isinstance(row, SealedImage):  # all else hangs on it
        SealedImage.objects.filter(pk=row.pk).update(**columns)
    else:
        columns |= {"wrapped_key_id": None} if isinstance(row, Grant) else {}
        type(row)(**columns).save(force_insert=True)
