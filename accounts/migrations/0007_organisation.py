from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_rotation'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='organisation_told_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
