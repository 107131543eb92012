import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import audit.fields

AT_ONCE = 500


def keep_keys(apps, schema_editor):
    """Whoever was disabled meanwhile makes no page any more that would hand the keys over again."""
    before = apps.get_model('gallery', 'SuccessorCircleKeyBefore')
    now = apps.get_model('gallery', 'SuccessorCircleKey')
    columns = ('circle_id', 'epoch', 'team_id', 'team_epoch', 'wrapped')
    rows = (now(**row) for row in before.objects.values(*columns).iterator(AT_ONCE))
    now.objects.bulk_create(rows, batch_size=AT_ONCE)


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0016_successors_of_circles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='circle',
            name='album',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='successors', to='gallery.circle'),
        ),
        migrations.RemoveConstraint(
            model_name='circle',
            name='one_circle_of_successors',
        ),
        migrations.AddConstraint(
            model_name='circle',
            constraint=models.UniqueConstraint(condition=models.Q(('album', None), ('deleted_at', None), ('kind', 'successors')), fields=('owner',), name='one_circle_of_successors'),
        ),
        migrations.AddConstraint(
            model_name='circle',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None), ('kind', 'successors')), fields=('owner', 'album'), name='one_circle_of_an_albums_successors'),
        ),
        # One row for each circle becomes one for each circle and its successors: another key.
        migrations.RenameModel('SuccessorCircleKey', 'SuccessorCircleKeyBefore'),
        migrations.CreateModel(
            name='SuccessorCircleKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('epoch', models.PositiveIntegerField()),
                ('team_epoch', models.PositiveIntegerField()),
                ('wrapped', audit.fields.RawBytesField()),
                ('circle', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handed_over', to='gallery.circle')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='successor_circle_keys', to='gallery.circle')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('circle', 'team'), name='one_key_of_a_circle_for_successors')],
            },
        ),
        migrations.RunPython(keep_keys, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel('SuccessorCircleKeyBefore'),
    ]
