from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RemoveField("throttlewindow", "started_at"),
        migrations.AddField(
            "throttlewindow",
            "ends_at",
            models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
    ]
