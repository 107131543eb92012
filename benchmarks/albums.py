"""`make bench`: what one more person costs an album of 100, 1,000 and 10,000 images, and taking one
out.

The images are rows alone: sharing an album looks at none of them.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.throwaway import data_folder, prepare, say_how_busy

PASSWORD = "correct horse battery"
SIZES = (100, 1000, 10_000)
GUESTS = 51


def main() -> None:
    say_how_busy()
    print(
        "| images | with one person more: RSA operations, seconds | with 50 more | "
        "one taken out: seconds |\n|---|---|---|---|"
    )
    with data_folder() as folder:
        prepare(folder)
        measure()


def measure() -> None:
    from accounts.keys.recipients import recipient_of
    from gallery.services.circles import making, rekeying, sharing
    from gallery.services.uploading import Terms

    owner, *guests = people()
    for size in SIZES:
        album = making.make_circle(keyring=owner, title="x", description="", members_add=False)
        fill(owner, album, size)
        readers = [recipient_of(guest.user) for guest in guests]

        def share(album=album, some=readers):
            sharing.share_circle(
                keyring=owner,
                circle_id=album.pk,
                recipients=some,
                terms=Terms("download", None),
            )

        one = measured(lambda share=share, some=readers[:1]: share(some=some))
        fifty = measured(lambda share=share, some=readers[1:]: share(some=some))
        begun = time.perf_counter()
        rekeying.revoke_member(keyring=owner, circle_id=album.pk, recipient=guests[0].user)
        print(f"| {size} | {one} | {fifty} | {time.perf_counter() - begun:.2f} |", flush=True)


def measured(act: Callable[[], None]) -> str:
    with counted() as wrapped:
        begun = time.perf_counter()
        act()
        seconds = time.perf_counter() - begun
    return f"{len(wrapped)}, {seconds:.2f}"


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the calls of cryptocore.wrapping.wrap: one is one RSA operation."""
    from accounts.keys import content_keys

    calls: list[int] = []
    real = content_keys.wrap

    def counting(*arguments, **options):
        calls.append(1)
        return real(*arguments, **options)

    content_keys.wrap = counting
    try:
        yield calls
    finally:
        content_keys.wrap = real


def people():
    """Return the open keys of the owner and the guests: a second or two for each."""
    from accounts.services.people import registration
    from accounts.services.ways_back.recovery import make_recovery_code

    keyrings = []
    for number in range(GUESTS + 1):
        keyring = registration.register(
            username=f"guest-{number:02}", display_name="x", email="", password=PASSWORD
        )
        make_recovery_code(keyring=keyring)
        keyrings.append(keyring)
    return keyrings


def fill(owner, album, size: int) -> None:
    """Put rows of images into the album, each with a content key under the album's key."""
    from django.utils import timezone

    from gallery.beside import wrap_for_circle
    from gallery.models import Placement, SealedImage
    from gallery.sealing import set_entry
    from gallery.services.circles.acts import own_circle

    key, now = own_circle(owner, album.pk).key, timezone.now()
    images = [SealedImage(owner=owner.user, stored_bytes=0, sealed_at=now) for _ in range(size)]
    SealedImage.objects.bulk_create(images)
    rows = []
    for image in images:
        row = Placement(circle=album, image=image, lock=1, epoch=1, granted_at=now)
        set_entry(row, rights="download", ends_at=None)
        wrap_for_circle(row, secrets.token_bytes(32), key, epoch=1)
        rows.append(row)
    Placement.objects.bulk_create(rows, batch_size=500)


if __name__ == "__main__":
    main()
