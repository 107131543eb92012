from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_unlock_keys")]

    operations = [
        migrations.CreateModel(
            name="FoldedRefusals",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=32)),
                ("subject", models.CharField(max_length=64)),
                ("actor", models.UUIDField(null=True)),
                ("request", models.CharField(max_length=32)),
                ("count", models.PositiveIntegerField(default=0)),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "reason", "subject"),
                        name="one_count_per_refusal_and_subject",
                    )
                ]
            },
        ),
    ]
