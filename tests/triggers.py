"""The audit tables' own triggers, dropped as the owner of the database can, and put back."""

from importlib import import_module

from django.db import connections

migration = import_module("audit.migrations.0001_squashed_0003_questions_about_one_thing")


def drop_triggers() -> None:
    with connections["audit"].schema_editor() as editor:
        migration.remove(None, editor)


def install_triggers() -> None:
    with connections["audit"].schema_editor() as editor:
        migration.install(None, editor)
