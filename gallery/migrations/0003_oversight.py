from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0002_statements_digest_themselves'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='notice',
            options={'verbose_name': 'notice', 'verbose_name_plural': 'notices'},
        ),
        migrations.AlterModelOptions(
            name='sealedimage',
            options={'verbose_name': 'image', 'verbose_name_plural': 'images'},
        ),
    ]
