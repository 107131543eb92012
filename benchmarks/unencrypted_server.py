"""The server with addresses beside its own that serve the same bytes unencrypted."""

from imageshare import start


def add_addresses() -> None:
    from django.conf import settings

    settings.ROOT_URLCONF = "benchmarks.unencrypted"


if __name__ == "__main__":
    start.main(add_addresses)
