"""No page looks through what grows: SQLite's plan of every query says by which index it finds its
rows. Plans are the same for few rows and many, since nothing has SQLite gather statistics."""

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from gallery import image_activity, own_activity
from gallery.services import inbox
from gallery.views import albums, lists
from tests.gallery.test_query_counts_of_circles import growing, invite, pages
from tests.postgres import only_sqlite

__all__ = ["growing", "invite"]
# A whole table, or all images of one owner; not the few rows of an index with a condition.
ALL_ROWS = re.compile(
    r"SCAN (gallery_|accounts_wrappedkey|audit_)(?!.* USING .*live_invited_grants)"
)
ALL_IMAGES = re.compile(r"SEARCH gallery_sealedimage USING .*INDEX gallery_sea.* \(owner_id=\?\)$")
# What the page of successors counts; and an owner's images without a key for their successors,
# looked for at each page of an owner who named some.
LOOKED_THROUGH = re.compile(r'FROM "gallery_successorkey"|COUNT.* FROM "gallery_sealedimage"')


@only_sqlite
def test_every_query_of_a_page_finds_its_rows_by_an_index(growing, alice, bob, monkeypatch):
    for module in (lists, albums, inbox, own_activity, image_activity):
        monkeypatch.setattr(module, "PER_PAGE", 1)
    growing.grow_to(1)
    wrong = [
        (page, sql, steps)
        for client in (alice.sign_in(), bob.sign_in())
        for page in pages(growing, client)
        for sql, steps in plans(partial(client.get, page))
        if not LOOKED_THROUGH.search(sql)
        and any(ALL_ROWS.match(step) or ALL_IMAGES.match(step) for step in steps)
    ]
    assert wrong == []


@only_sqlite
@pytest.mark.parametrize("address", ["/images/", "/images/mine/", "/activity/"])
def test_a_long_list_is_in_the_order_of_an_index(alice, upload, address):
    client, image = alice.sign_in(), upload()
    assert image.grants.exists()
    table = "gallery_notice" if address == "/activity/" else "gallery_grant"
    page = re.compile(rf'FROM "{table}" WHERE .* LIMIT 61$')
    found = [steps for sql, steps in plans(lambda: client.get(address)) if page.search(sql)]
    assert [len(steps) for steps in found] == [1]
    assert "SEARCH" in found[0][0]


def plans(visit: Callable[[], HttpResponse]) -> Iterator[tuple[str, list[str]]]:
    """Yield every query of a visit, with the steps that SQLite takes for it."""
    for alias in ("default", "audit"):
        with CaptureQueriesContext(connections[alias]) as asked:
            visit()
        for query in asked:
            if query["sql"].startswith("SELECT"):
                with connections[alias].cursor() as cursor:
                    cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                    yield query["sql"], [row[-1] for row in cursor.fetchall()]
