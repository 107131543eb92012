from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef
from django.utils import timezone


def encrypt_anew_what_ended(apps: Any, schema_editor: Any) -> None:
    """Of what ended before, nobody knows whether the lock changed since: each is done once."""
    ended = apps.get_model("gallery", "Grant").objects.filter(
        image=OuterRef("pk"), ended_reason="ended"
    )
    images = apps.get_model("gallery", "SealedImage").objects.filter(deleted_at=None)
    images.filter(Exists(ended)).update(relock_after=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0006_grants_without_a_key"),
        ("accounts", "0008_unlock_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="sealedimage",
            name="relock_after",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(
            encrypt_anew_what_ended, migrations.RunPython.noop, elidable=True
        ),
        migrations.AddIndex(
            model_name="sealedimage",
            index=models.Index(
                fields=["owner"],
                condition=models.Q(relock_after__isnull=False),
                name="images_to_relock",
            ),
        ),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(
                fields=["ends_at"],
                condition=models.Q(ended_at=None, ends_at__isnull=False),
                name="grants_that_end",
            ),
        ),
    ]
