from django.db import migrations


class Migration(migrations.Migration):
    """A search entry is of one manifest, and not of one lock. Those that are there are from when the
    words of an image never changed, and an image has as many manifests as locks, or more: none of
    them can be taken for one of an edit."""

    dependencies = [
        ('gallery', '0018_owner_of_a_grant'),
    ]

    operations = [
        migrations.RenameField(
            model_name='searchentry',
            old_name='lock',
            new_name='manifest',
        ),
    ]
