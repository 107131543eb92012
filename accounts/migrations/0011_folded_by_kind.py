"""Refusals are counted by everything their entry says: facts and subject, too."""

import json

from django.db import migrations, models


def keep_counts(apps, schema_editor):
    """Let the counts of before run out, each as a kind of its own, and be recorded as they were."""
    for row in apps.get_model("accounts", "FoldedRefusals").objects.all():
        row.kind = f"before-{row.pk}"
        row.facts = json.dumps({"reason": row.reason} if row.reason else {})
        row.save(update_fields=["kind", "facts"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_wrapped_key_checks")]

    operations = [
        migrations.RemoveConstraint("foldedrefusals", "one_count_per_refusal_and_subject"),
        migrations.RenameField("foldedrefusals", "subject", "whose"),
        migrations.AlterField(
            "foldedrefusals", "whose", models.CharField(max_length=64, db_index=True)
        ),
        migrations.AddField("foldedrefusals", "about", models.UUIDField(null=True)),
        migrations.AddField(
            "foldedrefusals", "facts", models.TextField(default="{}"), preserve_default=False
        ),
        migrations.AddField(
            "foldedrefusals",
            "kind",
            models.CharField(max_length=64, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(keep_counts, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "foldedrefusals", "kind", models.CharField(max_length=64, unique=True)
        ),
        migrations.RemoveField("foldedrefusals", "reason"),
    ]
