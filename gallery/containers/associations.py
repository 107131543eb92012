"""Which properties belong to which items of AVIF and HEIC files: `ipma` (HEIF, 23008-12 §9.3.1)."""

from collections import defaultdict
from collections.abc import Iterator

from gallery.containers.boxes import Box, Fields

HEAD_BYTES = 8 + 4 + 4  # of the box: size and kind, version and flags, number of entries


def associations(data: bytes, table: Box) -> Iterator[tuple[int, int]]:
    """Yield id of an item and number of a property of it; its highest bit says `essential`."""
    for item, properties, width in _entries(data, table):
        for index in properties:
            yield item, index & (1 << 8 * width - 1) - 1


def properties_of(data: bytes, meta: Box, item: int) -> list[Box]:
    """Return the properties of an item, in its order."""
    properties = meta.one(b"iprp", b"ipco").children
    numbers = [
        index
        for table in meta.all(b"iprp", b"ipma")
        for owner, index in associations(data, table)
        if owner == item
    ]
    return [properties[index - 1] for index in numbers if 1 <= index <= len(properties)]


def _entries(data: bytes, table: Box) -> Iterator[tuple[int, list[int], int]]:
    fields = Fields(data, table)
    head = fields.take(4)
    id_width, index_width = 4 if head >> 24 else 2, 1 + (head & 1)
    for _ in range(fields.take(4)):
        item = fields.take(id_width)
        yield item, [fields.take(index_width) for _ in range(fields.take(1))], index_width


def merged(data: bytes, meta: Box) -> bytes:
    """Return the file with one table where there were several of one form, at the same places.

    The format allows one, and one decoder of two refuses the file; an encoder in wide use writes
    one per item. What the tables no longer fill becomes a free box among the properties, which
    have room for boxes nobody knows.
    """
    iprp = meta.one(b"iprp")
    kinds = [box.kind for box in iprp.children]
    first, *tables = iprp.children
    forms = {data[table.body : table.body + 4] for table in tables}
    if len(tables) < 2 or len(forms) > 1 or kinds != [b"ipco", *[b"ipma"] * len(tables)]:
        return data
    table = _table(data, tables, forms.pop())
    freed = tables[-1].stop - tables[0].start - len(table)
    if freed < 8 or first.body - first.start != 8 or first.stop != tables[0].start:
        return data
    properties = (first.stop - first.start + freed).to_bytes(4) + data[first.start + 4 : first.stop]
    free = freed.to_bytes(4) + b"free" + bytes(freed - 8)
    return data[: first.start] + properties + free + table + data[tables[-1].stop :]


def _table(data: bytes, tables: list[Box], form: bytes) -> bytes:
    owned: defaultdict[int, list[int]] = defaultdict(list)
    width = 1 + (form[3] & 1)
    for table in tables:
        for item, properties, _ in _entries(data, table):
            owned[item] += properties
    id_width = 4 if form[0] else 2
    body = b"".join(
        item.to_bytes(id_width)
        + min(len(properties), 255).to_bytes(1)
        + b"".join(index.to_bytes(width) for index in properties[:255])
        for item, properties in sorted(owned.items())
    )
    size = (HEAD_BYTES + len(body)).to_bytes(4)
    return size + b"ipma" + form + len(owned).to_bytes(4) + body
