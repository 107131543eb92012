from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_keys_for_life'),
    ]

    operations = [
        migrations.AddField(
            model_name='keyorder',
            name='rewrapped_up_to',
            field=models.UUIDField(null=True),
        ),
    ]
