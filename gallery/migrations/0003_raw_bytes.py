"""Columns of bytes are read as bytes on every engine; nothing is stored differently."""

from django.db import migrations

from audit.fields import RawBytesField

REQUIRED = [
    ("grant", "entry"),
    ("grant", "salt"),
    ("notice", "body"),
    ("notice", "tag"),
    ("noticehead", "tag"),
    ("statement", "body"),
    ("statement", "signature"),
]


class Migration(migrations.Migration):
    dependencies = [("gallery", "0002_statements_digest_themselves")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(model, name, RawBytesField())
                for model, name in REQUIRED
            ]
        )
    ]
