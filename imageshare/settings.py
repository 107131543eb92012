"""Settings: one file, every difference between two installations an environment variable.

`.env` beside manage.py and `secrets.env` in the data folder are read too; what the process's own
environment says wins over both. docs/operations.md explains each variable.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from imageshare import __version__, databases
from imageshare.keyfile import LiveServerKeys
from imageshare.static_files import version_of
from imageshare.unlockkeys import UnlockKeys

BASE_DIR = Path(__file__).resolve().parent.parent
MEBIBYTE = 2**20
VERSION = __version__  # staff see it, strangers do not

environ.Env.read_env(BASE_DIR / ".env")
env = environ.Env()

# Where everything is: databases, images, audit file, secrets, temporary files.
DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / "var").absolute()
environ.Env.read_env(DATA_DIR / "secrets.env")

# Secrets: no defaults, so a missing one stops the start. `make run` writes both.
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
KEY_FILE = Path(env.str("KEY_FILE", default="") or DATA_DIR / "server-keys.json")
SERVER_KEYS = LiveServerKeys(KEY_FILE)

# Address
PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default="") or f"http://127.0.0.1:{PORT}"
HTTPS = SITE_URL.startswith("https://")
SITE_HOST = urlsplit(SITE_URL).hostname or "127.0.0.1"
SITE_HOST = f"[{SITE_HOST}]" if ":" in SITE_HOST else SITE_HOST  # as browsers name an IPv6 host
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[SITE_HOST, *LOOPBACK])
CSRF_TRUSTED_ORIGINS = [SITE_URL.rstrip("/")]
# How many proxies of ours stand in front. Over https one must, since nothing here speaks TLS.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1 if HTTPS else 0)

DEBUG = env.bool("DEBUG", default=False)
TESTING = env.bool("TESTING", default=False)  # set by the test suite alone
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="")  # for security.txt, such as mailto:…
SECURITY_CONTACT_EXPIRES = env.str("SECURITY_CONTACT_EXPIRES", default="")

INSTALLED_APPS = [
    "accounts",
    "gallery",
    "audit",
    "imageshare",
    "accounts.apps.StaffPagesConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
]

MIDDLEWARE = [
    "audit.middleware.RequestContextMiddleware",
    "imageshare.middleware.PrivateAnswersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "imageshare.static_files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "imageshare.middleware.TimeZoneMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",  # before what may lead to unlocking
    "imageshare.middleware.KnownAddressMiddleware",
    "accounts.web.middleware.RotationMiddleware",
    "gallery.middleware.DatesMiddleware",
    "gallery.middleware.SuccessorsMiddleware",  # after new locks: further out is later
    "gallery.middleware.RelockingMiddleware",
    "gallery.middleware.AlbumsMiddleware",
    "gallery.middleware.OwnKeysMiddleware",
    "imageshare.middleware.RequestSizeMiddleware",
    "imageshare.bodies.WholeBodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "imageshare.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "imageshare.urls"
WSGI_APPLICATION = "imageshare.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "imageshare.context_processors.theme",
                "accounts.web.context_processors.account",
                "gallery.context_processors.unread_notices",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Databases (imageshare/databases.py): SQLite files by default, PostgreSQL where a URL names one
THREADS = env.int("THREADS", default=16)  # of each process; each keeps its own connections


def database(variable: str, file_name: str, *, wait_seconds: int) -> dict[str, Any]:
    """Return the database that `variable` names, or the SQLite file of that name."""
    address = env.str(variable, default="") or f"sqlite:///{DATA_DIR / file_name}"
    url = env.db_url_config(address)
    if url["ENGINE"] == databases.SQLITE:
        # A file in tests too: an in-memory database is one connection shared by all threads.
        url["TEST"] = {"NAME": DATA_DIR / f"test-{file_name}"}
    return databases.configured(url, wait_seconds=wait_seconds)


def audit_database() -> dict[str, Any]:
    """Return the trail's. Nobody waits long for it: its file takes the entry meanwhile."""
    if AUDIT_IN_SCHEMA:
        return databases.beside(database("DATABASE_URL", "", wait_seconds=3))
    return database("AUDIT_DATABASE_URL", "audit.sqlite3", wait_seconds=3)


DATABASES = {"default": database("DATABASE_URL", "imageshare.sqlite3", wait_seconds=20)}
AUDIT_IN_SCHEMA = databases.is_postgres(DATABASES["default"]) and not env.str(
    "AUDIT_DATABASE_URL", default=""
)
DATABASES["audit"] = audit_database()
DATABASE_ROUTERS = ["audit.router.AuditRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Static files: collected at the start, but for developers and tests, who want them as they are
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
if DEBUG or TESTING:
    STATIC_ROOT = None
    STATIC_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
else:
    STATIC_ROOT = DATA_DIR / "static" / version_of(BASE_DIR / "static")
    STATIC_STORAGE = "imageshare.static_files.CollectedFiles"
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Images
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing may use it
    "staticfiles": {"BACKEND": STATIC_STORAGE},
    "sealed": {
        "BACKEND": "gallery.storage.AtomicFileStorage",
        "OPTIONS": {"location": DATA_DIR / "images"},
    },
}
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=50 * MEBIBYTE)
MAX_REQUEST_BYTES = env.int("MAX_REQUEST_BYTES", default=100 * MEBIBYTE)
MAX_FILES = env.int("MAX_FILES", default=100)
MAX_PIXELS = env.int("MAX_PIXELS", default=64_000_000)
MAX_FRAMES = env.int("MAX_FRAMES", default=600)
DECODERS_AT_ONCE = env.int("DECODERS_AT_ONCE", default=os.cpu_count() or 1)  # of each process
UPLOADS_AT_ONCE = env.int("UPLOADS_AT_ONCE", default=8)  # larger than a mebibyte, per process
MAX_RECIPIENTS = 500
MAX_SELECTED = 1000
PURGE_GRACE = timedelta(seconds=env.int("PURGE_GRACE_SECONDS", default=3600))
# Never Django's temporary files: an upload is plaintext.
FILE_UPLOAD_HANDLERS = ["gallery.uploads.MemoryUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_FILES
# A selection of images, with whom it is shared, and whose changed keys are accepted.
DATA_UPLOAD_MAX_NUMBER_FIELDS = MAX_SELECTED + 2 * MAX_RECIPIENTS
DATA_UPLOAD_MAX_MEMORY_SIZE = MEBIBYTE
# Collected before a thread sees it (imageshare/serving.py); of a larger one a thread reads only
# what somebody unlocked sends.
SMALL_BODY_BYTES = 64 * 1024
SLOW_CLIENT_SECONDS = env.int("SLOW_CLIENT_SECONDS", default=20)

# Signing in
AUTH_USER_MODEL = "accounts.User"
# Mail is optional: without EMAIL_URL none is sent.
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))
# Seconds: a mail server that does not answer would otherwise hold a thread for good.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"imageshare@{ALLOWED_HOSTS[0]}")
# Every server that carries a mail can read it: whether names of people may stand in it.
MAIL_NAMES = env.bool("MAIL_NAMES", default=False)

AUTHENTICATION_BACKENDS = [
    "accounts.backends.PasswordBackend",
    "accounts.backends.RecoveryCodeBackend",
    "accounts.backends.KeySlotBackend",
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "gallery:shared-with-me"
LOGOUT_REDIRECT_URL = "home"
PASSWORD_HASHERS = ["accounts.hashers.NormalisingArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "accounts.validators.MaximumLengthValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "display_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Argon2id for the KEK: never cheaper than the password hash beside it, or it would be the one
# attacked. A row outside floor and ceiling is refused: the one weakens, the other exhausts us.
KDF_TIME_COST = env.int("KDF_TIME_COST", default=2)
KDF_MEMORY_KIB = env.int("KDF_MEMORY_KIB", default=102_400)
KDF_PARALLELISM = 1 if TESTING else 8
# Django's Argon2PasswordHasher; OWASP ASVS 5.0 Appendix C asks for less.
KDF_FLOOR_TIME_COST, KDF_FLOOR_MEMORY_KIB = (1, 64) if TESTING else (2, 102_400)
KDF_CEILING_TIME_COST, KDF_CEILING_MEMORY_KIB = 20, 1_048_576
KDF_AT_ONCE = env.int("KDF_AT_ONCE", default=4)

# The organisation's recovery key (optional): its private half is offline, its public half in this
# file, and pinned here by fingerprint, out of reach of somebody who can write to database or data
# folder.
RECOVERY_KEY_FINGERPRINT = env.str("RECOVERY_KEY_FINGERPRINT", default="").strip().lower()
RECOVERY_KEY_FILE = Path(env.str("RECOVERY_KEY_FILE", default="") or DATA_DIR / "recovery-key.pub")

# Sessions: locked after the idle time, signed out after the absolute one.
LOCK_AFTER = timedelta(minutes=env.int("LOCK_AFTER_MINUTES", default=15))
SIGN_OUT_AFTER = timedelta(hours=env.int("SIGN_OUT_AFTER_HOURS", default=12))
UNLOCK_KEYS_DIR = Path(env.str("UNLOCK_KEYS_DIR", default="") or DATA_DIR / "unlock-keys")
UNLOCK_KEYS = UnlockKeys(UNLOCK_KEYS_DIR, sessions_last=SIGN_OUT_AFTER)
PASSWORD_RESET_TIMEOUT = 3600
DEFAULT_EXCEPTION_REPORTER_FILTER = "imageshare.reports.QuietReports"
NEW_START_WAIT = timedelta(hours=env.int("NEW_START_WAIT_HOURS", default=72))
SESSION_ENGINE = "accounts.web.sessions"
SESSION_COOKIE_AGE = int(SIGN_OUT_AFTER.total_seconds())
HOST_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = HOST_PREFIX + "sessionid"
CSRF_COOKIE_NAME = HOST_PREFIX + "csrftoken"
UNLOCK_COOKIE_NAME = HOST_PREFIX + "unlock"
KNOWN_BROWSER_COOKIE_NAME = HOST_PREFIX + "known"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "imageshare.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Throttles (accounts/throttle.py, accounts/web/guessing.py)
SIGN_IN_TRIES = env.int("SIGN_IN_TRIES", default=10)
SIGN_IN_WAIT = timedelta(minutes=env.int("SIGN_IN_WAIT_MINUTES", default=15))
SIGN_IN_TRIES_PER_NETWORK = env.int("SIGN_IN_TRIES_PER_NETWORK", default=30)
SIGN_IN_TRIES_PER_PERSON = env.int("SIGN_IN_TRIES_PER_PERSON", default=100)
REGISTRATIONS_PER_HOUR = env.int("REGISTRATIONS_PER_HOUR", default=200)
INVITATIONS_PER_HOUR = env.int("INVITATIONS_PER_HOUR", default=30)
NAME_LOOKUPS_PER_HOUR = env.int("NAME_LOOKUPS_PER_HOUR", default=1200)
UPLOADS_PER_HOUR = env.int("UPLOADS_PER_HOUR", default=2000)
# The costliest pictures take a core 50 ms for a million pixels: half of it, and no more.
UPLOAD_MEGAPIXELS_PER_HOUR = env.int("UPLOAD_MEGAPIXELS_PER_HOUR", default=36_000)

# Accounts: who may make one ("open", "invitations", "invite" or "closed"; anything else counts as
# closed), and how many bytes each may store (0: no limit).
REGISTRATION = env.str("REGISTRATION", default="open")
DEFAULT_QUOTA_BYTES = env.int("DEFAULT_QUOTA_BYTES", default=0)
PEOPLE_SEARCH = env.str("PEOPLE_SEARCH", default="known")
DEFAULT_ACCESS_DAYS = env.int("DEFAULT_ACCESS_DAYS", default=0)
MAX_ACCESS_DAYS = env.int("MAX_ACCESS_DAYS", default=0)
REMIND_DAYS_BEFORE_END = env.int("REMIND_DAYS_BEFORE_END", default=3)

# Headers
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 63_072_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# Not no-referrer: browsers then send `Origin: null`, and Django's CSRF check refuses the post.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Words and times
USE_I18N = USE_TZ = True
LANGUAGE_CODE = "en"
# Each in its own words: whoever looks for theirs may not read the others.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "imageshare.formats"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# Logs: standard error for the operator, and the audit trail for what happened.
AUDIT_FILE = Path(env.str("AUDIT_FILE", default="") or DATA_DIR / "audit.jsonl")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {
        "hide_tokens": {"()": "imageshare.logs.HideTokens"},
        "one_line": {"()": "imageshare.logs.OneLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["hide_tokens", "one_line"],
        },
        "audit": {"class": "audit.handlers.AuditHandler"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "audit": {"handlers": ["audit"], "level": "INFO", "propagate": False},
    },
}
