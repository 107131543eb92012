"""`python -m tests.e2e.halfway`: both databases as some earlier version left them.

Of the migrations that were squashed since, the first half of each app's ran.
"""

import os
from pathlib import Path

from cryptocore import keypair
from imageshare import start
from tests.keys import load_pair


def main() -> None:
    data_dir = Path(os.environ["DATA_DIR"])
    start.make_data_folder(data_dir)
    start.claim_storage(data_dir)
    keypair.generate = lambda: load_pair(1)
    start.make_secrets(data_dir)
    start.prepare_django()
    start.make_audit_schema()
    migrate_halfway()


def migrate_halfway() -> None:
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.loader import MigrationLoader

    for connection in connections.all():
        executor = MigrationExecutor(connection)
        executor.loader = MigrationLoader(connection, replace_migrations=False)
        replaced = [squashed.replaces for squashed in executor.loader.replacements.values()]
        executor.migrate([names[len(names) // 2] for names in replaced])


if __name__ == "__main__":
    main()
