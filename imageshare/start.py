"""`make run`: prepare the data folder, then serve. `python -m imageshare.start`.

The first start makes the folder, the secrets, the key file and both databases; a later one only
looks whether anything is missing.
"""

import ctypes
import io
import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from environ import Env
from gunicorn.app.base import BaseApplication

from gallery.storage import MARKER
from imageshare import databases, keyfile
from imageshare.databases import SQLITE
from imageshare.logs import HideTokens
from imageshare.modes import close_to_others

ROOT = Path(__file__).resolve().parent.parent
# For a server with a data folder of its own: what `.env` says of a real site does not count there.
ON_ITS_OWN = {
    **dict.fromkeys(("DATABASE_URL", "AUDIT_DATABASE_URL", "KEY_FILE", "AUDIT_FILE"), ""),
    **dict.fromkeys(("UNLOCK_KEYS_DIR", "RECOVERY_KEY_FINGERPRINT", "SITE_URL"), ""),
    "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
    "TRUSTED_PROXIES": "0",
}

# Of glibc's mallopt(3): memory blocks larger than the first go back to the system once freed, and
# of smaller ones a thread keeps no more than the second.
M_MMAP_THRESHOLD, LARGE_BYTES = -3, 2**20
M_TRIM_THRESHOLD, KEPT_BYTES = -1, 8 * 2**20
M_ARENA_MAX, ARENAS = -8, 1


def main(
    before_serving: Callable[[], None] | None = None,
    greeting: Callable[[Path], str] | None = None,
) -> None:
    """`greeting`: what is printed once it serves, where the words of an installation do not fit."""
    os.umask(0o077)
    give_memory_back()
    Env.read_env(ROOT / ".env")  # says where key file and database are, needed before settings
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageshare.settings")
    data_dir = Path(os.environ.get("DATA_DIR") or ROOT / "var").absolute()
    os.environ["DATA_DIR"] = str(data_dir)
    host = (os.environ.get("BIND") or "127.0.0.1").strip("[]")
    bind = (host, int(os.environ.get("PORT") or 8000))
    refuse_taken_port(bind)
    prepare(data_dir)
    if before_serving:
        before_serving()
    hang_up()
    Server(data_dir, bind, greeting or greet).run()


def prepare(data_dir: Path) -> None:
    """Make what is missing, bring up to date what is there, and say what needs an operator."""
    make_data_folder(data_dir)
    claim_storage(data_dir)
    make_secrets(data_dir)
    prepare_django()
    close_to_others(what_is_private())
    prepare_static_files()
    prepare_databases()
    certify_names()
    name_unproven_staff()


def give_memory_back() -> None:
    """Keep each thread from holding on to the room of the largest image it ever saw.

    After one large piece was freed, glibc keeps the next ones for reuse, up to 64 MB a thread; and
    each thread gets a room of its own, from which pieces of a picture do not come back. With one
    room for all, threads wait for each other no longer than they do for the interpreter.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_ARENA_MAX, ARENAS)


def refuse_taken_port(bind: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in bind[0] else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(bind)
        except OSError as error:
            host, port = bind
            sys.exit(
                f"Cannot listen on {host}:{port} ({error.strerror}). Nothing was started. "
                f"Choose another port: make run PORT={port + 1}"
            )


def make_data_folder(data_dir: Path) -> None:
    """Make the folder, private to its owner. Temporary files go there too."""
    for folder in (data_dir, data_dir / "images", data_dir / "tmp"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(data_dir / "tmp")


def claim_storage(data_dir: Path) -> None:
    """Mark the image folder at the first start, which is before there is a key file."""
    marker = data_dir / "images" / MARKER
    if marker.exists():
        return
    if key_file_of(data_dir).exists():
        sys.exit(
            f"{marker.parent} is not the image folder of this installation: {MARKER} is missing "
            "there. Mount its volume, or put it back (docs/operations.md). Nothing was changed."
        )
    keyfile.write_private(marker, "The images of an ImageShare. Keep this file with them.\n")


def key_file_of(data_dir: Path) -> Path:
    return Path(os.environ.get("KEY_FILE") or data_dir / "server-keys.json")


def make_secrets(data_dir: Path) -> None:
    secret_file = data_dir / "secrets.env"
    if not os.environ.get("SECRET_KEY") and not secret_file.exists():
        keyfile.write_private(secret_file, f"SECRET_KEY={secrets.token_urlsafe(48)}\n")
    key_file = key_file_of(data_dir)
    if key_file.exists():
        return
    if has_data(data_dir):
        # New keys would certify nobody's old ones: every share would be refused.
        sys.exit(
            f"The key file {key_file} is missing, though this installation has data. "
            "Put it back from your backup (docs/operations.md). Nothing was changed."
        )
    print("Making this installation's keys …", flush=True)
    keyfile.create(key_file)


def has_data(data_dir: Path) -> bool:
    """Whether this installation has people already, wherever its database is."""
    address = os.environ.get("DATABASE_URL") or f"sqlite:///{data_dir}/imageshare.sqlite3"
    if address.startswith("sqlite:"):
        return Path(Env.db_url_config(address)["NAME"]).exists()
    return databases.has_people(address)


def prepare_django() -> None:
    """Read the settings; refuse to start with ones that are missing or too weak."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        django.setup()
        call_command("check", stdout=io.StringIO())
    except (ImproperlyConfigured, SystemCheckError, ValueError) as error:
        sys.exit(f"Not started, nothing was changed: {error}")


def what_is_private() -> Iterator[Path]:
    """Yield the folders and files, wherever the settings put them, that are ours alone."""
    from django.conf import settings

    yield from (settings.DATA_DIR / name for name in ("", "images", "tmp", "secrets.env"))
    yield from (settings.KEY_FILE, settings.UNLOCK_KEYS_DIR, settings.AUDIT_FILE, ROOT / ".env")
    files = (url["NAME"] for url in settings.DATABASES.values() if url["ENGINE"] == SQLITE)
    yield from (Path(f"{file}{end}") for file in files for end in ("", "-wal", "-shm"))


def prepare_static_files() -> None:
    from django.conf import settings

    from imageshare.static_files import collect

    if settings.STATIC_ROOT:
        collect(settings.STATIC_ROOT)


def prepare_databases() -> None:
    """Bring both databases up to date, and drop what ended while nothing ran; say in a sentence
    when one does not answer."""
    from django.db import OperationalError

    from accounts.unlocks import drop_ended

    try:
        make_audit_schema()
        migrate()
        drop_ended()
    except OperationalError as error:
        sys.exit(databases.AWAY.format(error))


def migrate() -> None:
    """Bring both databases up to date; quick when there is nothing to do."""
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    for alias in connections:
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            print(f"Preparing the database “{alias}” …", flush=True)
            call_command("migrate", database=alias, verbosity=0)
        else:
            # Else nothing would say that a squashed migration ran, once those it replaces are gone.
            executor.check_replacements()


def certify_names() -> None:
    """Certify the names of people who had keys before names were certified: once. It takes the key
    file, so it is no migration. Where it cannot be done now the next start does it, and until then
    pages say that these names do not verify."""
    from django.db import Error

    from accounts.management.certifying import certify_names
    from audit.events import AuditUnavailable

    try:
        certify_names(print, print)
    except (AuditUnavailable, Error) as error:
        print(f"Names were not certified ({type(error).__name__}); the next start tries again.")


def name_unproven_staff() -> None:
    """Name the accounts that the staff pages will refuse, and say what to do about them.

    If the trail is unavailable the server still starts; those pages answer 503 then.
    """
    from accounts.staff_rights import people_with_unproven_rights
    from audit.events import AuditUnavailable

    with suppress(AuditUnavailable):
        names = " ".join(user.username for user in people_with_unproven_rights())
        if names:
            print(
                f"Marked as staff, but nothing on record made them so: {names}. They cannot use "
                f"the staff pages. If you know each of them: manage.py confirm_staff {names}",
                flush=True,
            )


def make_audit_schema() -> None:
    """Make the trail's place where it is kept beside the business data on PostgreSQL."""
    from django.conf import settings
    from django.db import connection

    if not settings.AUDIT_IN_SCHEMA:
        return
    with connection.cursor() as cursor:
        # Looked for first: somebody who may not create schemas may well use one made for them.
        cursor.execute("SELECT FROM pg_namespace WHERE nspname = %s", [databases.AUDIT_SCHEMA])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE SCHEMA {databases.AUDIT_SCHEMA}")


def hang_up() -> None:
    """Leave no connection to the workers: forked from this process, they would share it."""
    from django.db import connections

    connections.close_all()


class Server(BaseApplication):
    """gunicorn inside this process, so that a start imports Django once."""

    def __init__(
        self, data_dir: Path, bind: tuple[str, int], greeting: Callable[[Path], str]
    ) -> None:
        self.data_dir = data_dir
        self.bind = bind
        self.greeting = greeting
        super().__init__()

    def load_config(self) -> None:
        from django.conf import settings

        host, port = self.bind
        options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": int(os.environ.get("WORKERS") or 2),
            # Who uploads holds a thread for the length of the transfer.
            "threads": settings.THREADS,
            "worker_class": "imageshare.serving.Worker",
            "worker_connections": 400,  # with files and databases still below the usual 1024
            "sendfile": False,  # goes past the pace that clients have to keep
            "worker_tmp_dir": str(self.data_dir / "tmp"),
            "control_socket_disable": True,
            # By default any process on this machine may say where the site is mounted and that they
            # speak https. Our proxies are counted in the settings (TRUSTED_PROXIES).
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "timeout": 120,
            "graceful_timeout": 20,
            "preload_app": True,
            "loglevel": "warning",
            "accesslog": None,  # a path may hold an invite's token
            "when_ready": self.greet,
            "post_worker_init": self.start_decoders,
        }
        for name, value in options.items():
            self.cfg.set(name, value)
        # gunicorn names the address of a request that failed below Django, in a log of its own.
        logging.getLogger("gunicorn.error").addFilter(HideTokens())

    def load(self) -> Any:
        from imageshare.wsgi import application

        return application

    def start_decoders(self, worker: object) -> None:
        """Load the decoders before somebody's first upload waits for it."""
        from gallery.decoding.asking import DECODERS

        DECODERS.start()

    def greet(self, arbiter: object) -> None:
        print(self.greeting(self.data_dir), flush=True)


def greet(data_dir: Path) -> str:
    from django.conf import settings

    manage = f"DATA_DIR={data_dir} .venv/bin/python manage.py"
    return (
        f"ImageShare is at {settings.SITE_URL} (Ctrl-C stops it).\n"
        f"Make an administrator:  {manage} createsuperuser\n"
        f"Everything it writes is in {data_dir}; its keys are in {settings.KEY_FILE}: "
        "back up both, apart from each other."
    )


if __name__ == "__main__":
    main()
