"""Static files as browsers like them: small, and named by their contents, so that they are kept for
good.

A start collects them into a folder of this version in the data folder, unless another did before:
the clone may be read-only, and no step of a build comes first. The folders of the two versions
before stay, since pages of theirs may be open, and servers of theirs may still run.
"""

import hashlib
import os
import shutil
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import django
from django.contrib.staticfiles.finders import get_finders
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

EARLIER_VERSIONS = 2
UNFINISHED = "."


class CollectedFiles(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True  # our modules import each other


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Serves what this version collected, and what earlier ones did."""

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        for folder in (*reversed(earlier_than(Path(root))), root):
            super().add_files(str(folder), prefix)


def version_of(folder: Path) -> str:
    """Return a name for these files and for Django's, other than that of any others."""
    digest = hashlib.sha256(django.__version__.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        contents = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{path.relative_to(folder)} {contents}".encode())
    return digest.hexdigest()[:16]


def collect(root: Path) -> None:
    """Make the folder `root`, whole or not at all, and drop those of versions long gone."""
    root.parent.mkdir(mode=0o700, exist_ok=True)
    if not root.exists():
        print("Preparing the static files …", flush=True)
        with TemporaryDirectory(prefix=UNFINISHED, dir=root.parent) as made:
            write(Path(made) / "static")
            try:
                os.rename(Path(made) / "static", root)
            except OSError:
                if not root.exists():  # else another server was first
                    raise
    os.utime(root)
    for folder in earlier_than(root, kept=EARLIER_VERSIONS):
        shutil.rmtree(folder, ignore_errors=True)


def write(folder: Path) -> None:
    storage = CollectedFiles(location=folder)
    found = {}
    for finder in get_finders():
        for path, source in finder.list([]):
            if path not in found:  # the first counts, as when it is served plainly
                with source.open(path) as file:
                    storage.save(path, file)
                found[path] = (storage, path)
    for _, _, outcome in storage.post_process(found):
        if isinstance(outcome, Exception):
            raise outcome


def earlier_than(root: Path, *, kept: int = 0) -> list[Path]:
    """Return the folders of other versions, the latest first, without the first `kept`."""
    folders = (path for path in root.parent.iterdir() if not path.name.startswith(UNFINISHED))
    others = [folder for folder in folders if folder != root]
    others.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    return list(islice(others, kept, None))
