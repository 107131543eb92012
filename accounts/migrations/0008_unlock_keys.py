from typing import Any

from django.db import migrations, models


def lock_everybody(apps: Any, schema_editor: Any) -> None:
    """Rows from before open with a cookie alone: whoever is unlocked types the password once."""
    apps.get_model("accounts", "Custody").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_organisation")]

    operations = [
        migrations.RunPython(lock_everybody, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name="custody",
            name="unlock_key",
            field=models.CharField(default="", max_length=32),
            preserve_default=False,
        ),
    ]
