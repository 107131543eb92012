"""Columns of bytes are read as bytes on every engine; nothing is stored differently."""

from django.db import migrations

from audit.fields import RawBytesField

REQUIRED = [
    ("custody", "wrapped_master_key"),
    ("keypair", "certificate"),
    ("keypair", "certificate_signature"),
    ("keypair", "public_key"),
    ("keyslot", "salt"),
    ("keyslot", "wrapped_master_key"),
    ("mackey", "wrapped_key"),
    ("wrappedkey", "oaep_bytes"),
]
NULLABLE = [
    ("keypair", "wrapped_private_key"),
    ("keyslot", "wrapped_confirmation"),
    ("wrappedkey", "quick_key"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_windows_end")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(model, name, RawBytesField())
                for model, name in REQUIRED
            ]
            + [
                migrations.AlterField(model, name, RawBytesField(null=True))
                for model, name in NULLABLE
            ]
        )
    ]
