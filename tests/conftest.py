"""The cast: alice owns, bob receives, mallory is signed in and granted nothing."""

import inspect
import io
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import Client, TransactionTestCase
from django.utils import timezone
from PIL import Image
from pytest_django.plugin import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts import custody
from accounts.custody import Keyring
from accounts.keys import mac_keys
from accounts.models import User
from accounts.organisation import exchange
from accounts.services.people import registration
from accounts.services.ways_back.recovery import make_recovery_code
from cryptocore import keypair
from gallery.models import SealedImage
from gallery.zero_access import openers
from tests import key_rows, postgres
from tests import quick_keywrap as quick
from tests.environment import DATA_DIR
from tests.keys import load_pair
from tests.worlds import World, fixtures, watch

PASSWORD = "correct horse battery"
TOOLS = {
    "chromium-headless-shell or chromium": "the browser tests (tests/e2e/test_browser.py)",
    "exiftool": "the second opinion on removed details",
    "xgettext": "whether the catalogues of locale/ have every text",
    "nginx": "the documented proxy (tests/e2e/test_proxy.py)",
    "openssl": "the shell block of docs/format.md",
    "unzip": "the second opinion on ZIPs",
}

# Pytest-django refuses a database to tests without a mark, so one that asks fails here.
NO_DATABASE = (
    *("tests/cryptocore/", "tests/gallery/test_intake", "tests/gallery/test_archive.py"),
    *("zero_access/test_cells.py", "zero_access/test_strings.py", "tests/gallery/test_room.py"),
    *("imageshare/test_keyfile.py", "imageshare/test_pace.py", "imageshare/test_repository.py"),
    *("imageshare/test_serving.py", "imageshare/test_unlockkeys.py", "test_secret_key.py"),
    *("tests/test_documents.py", "tests/test_architecture.py", "tests/test_attacks.py"),
    *("tests/test_templates.py", "tests/test_catalogues.py"),
)
OWN_DATABASES = ("tests/e2e/",)  # those of servers in processes of their own
# Files with few and long tests: the suite ends when its processes end, so these do not come last.
FIRST = ("tests/e2e/", "tests/faults/", "tests/rows/", "tests/concurrency/", "tests/imageshare/")


# ---- which tools are here --------------------------------------------------------------------


def missing_tools() -> list[str]:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin"  # Debian keeps nginx from people's paths
    return [
        tool
        for tool in TOOLS
        if not any(shutil.which(name, path=places) for name in tool.split(" or "))
    ]


def pytest_configure(config: pytest.Config) -> None:
    if missing_tools() and os.environ.get("NOTHING_MAY_BE_MISSING"):
        pytest.exit(f"Missing here, and nothing may be: {', '.join(missing_tools())}", 1)


def pytest_report_header(config: pytest.Config) -> list[str]:
    if not postgres.SERVER:
        return []
    lines = ["Tests that ask no database are left out here: `make test` runs them."]
    processes = getattr(config.option, "numprocesses", None) or 1
    needed = processes * postgres.CONNECTIONS_OF_A_PROCESS
    if postgres.most_connections() < needed:
        lines.append(
            f"{postgres.SERVER} serves {postgres.most_connections()} connections at once. The "
            f"whole suite in {processes} processes needs {needed}: raise max_connections."
        )
    return lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for tool in missing_tools():
        terminalreporter.write_line(f"Not run, because there is no {tool} here: {TOOLS[tool]}.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Real transactions on both databases: a test's own would hide rollbacks, and waiting. What
    asks no database is the same on PostgreSQL, and is not run there again. Long files come first.
    """
    marker = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
    for item in items:
        if not is_in((*NO_DATABASE, *OWN_DATABASES), item):
            item.add_marker(marker)
    if postgres.SERVER:
        config.hook.pytest_deselected(items=[item for item in items if is_in(NO_DATABASE, item)])
        items[:] = [item for item in items if not is_in(NO_DATABASE, item)]
    items.sort(key=lambda item: not is_in(FIRST, item))


def is_in(places: tuple[str, ...], item: pytest.Item) -> bool:
    return any(place in str(item.path) for place in places)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let each test end with what the migrations left, and the next one go on with its connections
    unless an error occurred on one."""
    with django_db_blocker.unblock():
        empty = World.now()
    TransactionTestCase._fixture_teardown = lambda self: empty.put_back()
    TransactionTestCase._should_reload_connections = lambda self: any(
        connection.errors_occurred for connection in connections.all(initialized_only=True)
    )


@pytest.fixture(scope="session", autouse=True)
def quick_keywrap() -> None:
    """Wrap people's keys by OpenSSL, where there is one (tests/quick_keywrap.py)."""
    if quick.CRYPTO:
        for module in (custody, mac_keys, openers):
            module.unwrap_key = quick.unwrap_key
        for module in (custody, mac_keys, exchange):
            module.wrap_key = quick.wrap_key


@pytest.fixture(scope="session", autouse=True)
def static_files_listed_once() -> None:
    """Each browser has a middleware of its own, which lists the same files of ours and Django's in
    5 ms. Nothing changes them during a run, or what is kept of them."""
    files = WhiteNoiseMiddleware().files
    WhiteNoiseMiddleware.add_files_from_finders = lambda self: self.files.update(files)


@pytest.fixture(scope="session", autouse=True)
def key_rows_change_in_one_way() -> None:
    key_rows.watch_key_rows()
    for add_to in (key_rows.add_to, watch):
        connection_created.connect(add_to)
        for connection in connections.all():
            add_to(connection)


# ---- people ----------------------------------------------------------------------------------


@dataclass
class Person:
    """Somebody of the cast: their account, their open keys, and a browser of their own."""

    keyring: Keyring = field(repr=False)
    recovery_code: str = field(repr=False)
    client: Client = field(default_factory=Client)
    password: str = PASSWORD

    @property
    def user(self):
        return self.keyring.user

    @property
    def username(self) -> str:
        return self.user.username

    def sign_in(self) -> Client:
        def post() -> SimpleCookie:
            form = {"username": self.username, "password": self.password}
            answer = self.client.post("/accounts/login/", form)
            assert answer.status_code == 302, answer.content
            return self.client.cookies

        cookies = self.client.cookies
        self.client.cookies = fixtures.step(
            "sign in", self.username, self.password, cookies, make=post
        )
        return self.client

    def unlocked(self) -> Client:
        """Return their browser, signed in only where it is not yet or was locked."""
        cookie = self.client.cookies.get(settings.UNLOCK_COOKIE_NAME)
        return self.client if cookie and cookie.value else self.sign_in()


@pytest.fixture(autouse=True)
def fixed_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """New pairs come from tests/keys: making one takes a second. The end-to-end tests make real
    ones, in processes of their own."""
    monkeypatch.setattr(keypair, "generate", lambda: load_pair(fixtures.next_pair()))
    fixtures.begin(monkeypatch)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    real = fixturedef.func
    if fixturedef.scope == "function" and not inspect.isgeneratorfunction(real):
        fixturedef.func = lambda **given: fixtures.fixture(real, fixturedef.argname, given)
    try:
        return (yield)
    finally:
        fixturedef.func = real


def pytest_runtest_call() -> None:
    fixtures.end()


@pytest.fixture(autouse=True)
def each_thread_hangs_up() -> Iterator[None]:
    """A connection that a thread leaves open ends with the garbage, in another test, and fails
    that one on PostgreSQL."""
    made: list[BaseDatabaseWrapper] = []

    def keep(connection: BaseDatabaseWrapper, **_: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            made.append(connection)

    connection_created.connect(keep)
    yield
    assert not [connection.alias for connection in made if connection.connection]


@pytest.fixture
def make_person() -> Callable[..., Person]:
    def make(username: str, display_name: str = "", *, with_code: bool = True) -> Person:
        def register() -> tuple[uuid.UUID, bytes, int, str]:
            keyring = registration.register(
                username=username,
                display_name=display_name or username.title(),
                email="",
                password=PASSWORD,
            )
            code = make_recovery_code(keyring=keyring).code if with_code else ""
            return keyring.user.pk, keyring._master_key, keyring.version, code

        made = fixtures.step("person", username, display_name, with_code, make=register)
        pk, master_key, version, code = made
        return Person(Keyring(User.objects.get(pk=pk), master_key, version), code)

    return make


@pytest.fixture
def alice(make_person: Callable[..., Person]) -> Person:
    """Owns images."""
    return make_person("alice", "Alice Ardent")


@pytest.fixture
def bob(make_person: Callable[..., Person]) -> Person:
    """Receives them."""
    return make_person("bob", "Bob Brook")


@pytest.fixture
def carol(make_person: Callable[..., Person]) -> Person:
    """Receives them too, and keeps them when bob no longer may."""
    return make_person("carol", "Carol Clay")


@pytest.fixture
def mallory(make_person: Callable[..., Person]) -> Person:
    """Signed in, granted nothing."""
    return make_person("mallory", "Mallory Mist")


@pytest.fixture
def staff() -> Client:
    """A superuser's browser: oversees, opens nothing."""
    client = Client()

    def sign_in() -> SimpleCookie:
        User.objects.create_superuser("overseer", PASSWORD)
        client.post("/accounts/login/", {"username": "overseer", "password": PASSWORD})
        return client.cookies

    client.cookies = fixtures.step("staff", make=sign_in)
    return client


@pytest.fixture
def days_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock, for everything but the trail, to so many days from now."""
    real = timezone.now

    def move(days: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=days))

    return move


# ---- pictures --------------------------------------------------------------------------------


def jpeg(colour: str = "teal", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def picture() -> bytes:
    return jpeg()


@pytest.fixture
def upload(alice: Person) -> Callable[..., SealedImage]:
    """Upload as alice, over HTTP, and return what was sealed."""

    def send(*, to: tuple[Person, ...] = (), data: bytes = b"", **fields: str) -> SealedImage:
        client, names, data = alice.unlocked(), [person.username for person in to], data or jpeg()

        def post() -> tuple[str, SimpleCookie]:
            file = io.BytesIO(data)
            file.name = "holiday.jpg"
            answer = client.post(
                "/images/upload/",
                {"images": [file], "recipients": names, **fields},
                headers={"accept": "application/json"},
            )
            assert answer.status_code == 201, answer.content
            return answer.json()["images"][0]["id"], client.cookies

        pk, client.cookies = fixtures.step("upload", names, data, fields, make=post)
        return SealedImage.objects.get(pk=pk)

    return send


@pytest.fixture
def shared_image(upload: Callable[..., SealedImage], bob: Person) -> SealedImage:
    """An image alice shared with bob."""
    return upload(to=(bob,), caption="At the lake")


@pytest.fixture
def emptied_storage() -> Iterator[None]:
    """Leave no stored bytes behind."""
    yield
    for path in (DATA_DIR / "images").glob("*/*"):
        path.unlink()
