"""Made by squashmigrations: what new installations run in place of all it replaces.

The tables themselves refuse what our code never does. Entries are only added. The head only moves
on to the entry that follows it. Personal facts are added or removed (that erases them), never
changed. Refused statements raise IntegrityError.

This stops mistakes, and statements smuggled into ours; whoever owns the database can drop a
trigger, and `verify_audit` finds what they then change. A migration that makes one of these tables
anew on SQLite (AlterField, RemoveField …) loses its triggers and must call `install` again.
"""

import audit.fields
import django.db.models.deletion
from django.db import migrations, models

# ---- SQLite ----------------------------------------------------------------------------------

ABORT = "BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END"

SQLITE = {
    "audit_entry_update": f"BEFORE UPDATE ON audit_auditentry {ABORT}",
    "audit_entry_delete": f"BEFORE DELETE ON audit_auditentry {ABORT}",
    # INSERT OR REPLACE removes the row in its way without asking a DELETE trigger.
    "audit_entry_replace": f"""
        BEFORE INSERT ON audit_auditentry WHEN EXISTS (
            SELECT 1 FROM audit_auditentry
            WHERE sequence = NEW.sequence OR previous = NEW.previous OR chain = NEW.chain
        ) {ABORT}""",
    "audit_head_update": f"""
        BEFORE UPDATE ON audit_audithead WHEN NOT EXISTS (
            SELECT 1 FROM audit_auditentry
            WHERE sequence = NEW.sequence AND chain = NEW.chain AND previous = OLD.chain
                AND NEW.sequence = OLD.sequence + 1
        ) {ABORT}""",
    "audit_head_delete": f"BEFORE DELETE ON audit_audithead {ABORT}",
    "audit_head_replace": f"""
        BEFORE INSERT ON audit_audithead WHEN EXISTS (SELECT 1 FROM audit_audithead) {ABORT}""",
    "audit_personal_update": f"BEFORE UPDATE ON audit_personalfacts {ABORT}",
    "audit_personal_replace": f"""
        BEFORE INSERT ON audit_personalfacts WHEN EXISTS (
            SELECT 1 FROM audit_personalfacts WHERE entry_id = NEW.entry_id
        ) {ABORT}""",
}

# ---- PostgreSQL ------------------------------------------------------------------------------

FUNCTION = """
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
    SET search_path FROM CURRENT AS $$ BEGIN {body} END $$"""
REFUSE = """
    RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'restrict_violation';"""

POSTGRES_FUNCTIONS = {
    "audit_refuse": REFUSE,
    "audit_refuse_other_head": f"""
        IF NOT EXISTS (
            SELECT 1 FROM audit_auditentry
            WHERE sequence = NEW.sequence AND chain = NEW.chain AND previous = OLD.chain
                AND NEW.sequence = OLD.sequence + 1
        ) THEN {REFUSE} END IF;
        RETURN NEW;""",
}
EVERY = "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
POSTGRES = {
    "audit_entry_only_added": f"BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_auditentry {EVERY}",
    "audit_head_moves_on": """
        BEFORE UPDATE ON audit_audithead FOR EACH ROW EXECUTE FUNCTION audit_refuse_other_head()""",
    "audit_head_stays": f"BEFORE DELETE OR TRUNCATE ON audit_audithead {EVERY}",
    "audit_personal_unchanged": f"BEFORE UPDATE OR TRUNCATE ON audit_personalfacts {EVERY}",
}


def install(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, body in POSTGRES_FUNCTIONS.items():
            schema_editor.execute(FUNCTION.format(name=name, body=body))
    for name, rule in triggers(schema_editor).items():
        schema_editor.execute(f"CREATE TRIGGER {name} {rule}")


def remove(apps, schema_editor):
    """Drop the triggers: to undo the migration, and what an attacker does first."""
    if schema_editor.connection.vendor == "postgresql":
        for name in POSTGRES_FUNCTIONS:
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {name} CASCADE")
        return
    for name in triggers(schema_editor):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


def triggers(schema_editor):
    return {"sqlite": SQLITE, "postgresql": POSTGRES}[schema_editor.connection.vendor]


class Migration(migrations.Migration):

    replaces = [('audit', '0001_trail'), ('audit', '0002_append_only'), ('audit', '0003_questions_about_one_thing')]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('sequence', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('leaf', audit.fields.RawBytesField()),
                ('leaf_hash', audit.fields.RawBytesField(db_index=True)),
                ('previous', audit.fields.RawBytesField(unique=True)),
                ('chain', audit.fields.RawBytesField(unique=True)),
                ('key_id', models.CharField(max_length=64)),
                ('time', models.DateTimeField(db_index=True, verbose_name='time')),
                ('event', models.CharField(max_length=64, verbose_name='event')),
                ('actor', models.UUIDField(null=True, verbose_name='by')),
                ('subject', models.UUIDField(null=True, verbose_name='about')),
                ('outcome', models.CharField(max_length=16, verbose_name='outcome')),
                ('request', models.CharField(db_index=True, max_length=32, null=True, verbose_name='request')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit entries',
                'base_manager_name': 'objects',
                'indexes': [
                    models.Index(fields=['actor', 'event', 'time'], name='audit_by_actor'),
                    models.Index(fields=['subject', 'time'], name='audit_by_subject'),
                    models.Index(fields=['event', 'time'], name='audit_by_event'),
                    models.Index(fields=['subject', 'event', 'sequence'], name='audit_by_subject_event'),
                ],
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField()),
                ('chain', audit.fields.RawBytesField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_audit_head')],
            },
        ),
        migrations.CreateModel(
            name='PersonalFacts',
            fields=[
                ('entry', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='personal_facts', serialize=False, to='audit.auditentry')),
                ('salt', audit.fields.RawBytesField()),
                ('address', models.CharField(blank=True, max_length=64, verbose_name='network')),
                ('agent', models.CharField(blank=True, max_length=200, verbose_name='browser')),
            ],
            options={
                'verbose_name_plural': 'personal facts',
            },
        ),
        migrations.RunPython(install, remove),
    ]
