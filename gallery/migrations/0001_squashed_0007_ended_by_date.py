"""Made by squashmigrations: what new installations run in place of all it replaces.

It leaves out what those did to rows: there are none yet.
"""

import audit.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('gallery', '0001_initial'), ('gallery', '0002_statements_digest_themselves'), ('gallery', '0003_raw_bytes'), ('gallery', '0004_oversight'), ('gallery', '0005_lists_at_length'), ('gallery', '0006_grants_without_a_key'), ('gallery', '0007_ended_by_date')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0011_folded_by_kind'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NoticeHead',
            fields=[
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notice_head', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('sequence', models.PositiveIntegerField()),
                ('tag', audit.fields.RawBytesField()),
                ('mac_epoch', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='SealedImage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('lock', models.PositiveIntegerField(default=1)),
                ('stored_bytes', models.PositiveBigIntegerField()),
                ('sealed_at', models.DateTimeField(verbose_name='sealed')),
                ('deleted_at', models.DateTimeField(null=True)),
                ('upload_id', models.UUIDField(null=True)),
                ('upload_index', models.PositiveIntegerField(null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='images', to=settings.AUTH_USER_MODEL)),
                ('relock_after', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['owner', '-sealed_at'], name='gallery_sea_owner_i_80416d_idx'), models.Index(fields=['-sealed_at', 'id'], name='gallery_sea_sealed__d54fcd_idx'), models.Index(condition=models.Q(('relock_after__isnull', False)), fields=['owner'], name='images_to_relock')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'upload_id', 'upload_index'), name='one_image_per_uploaded_file')],
                'verbose_name': 'image',
                'verbose_name_plural': 'images',
            },
        ),
        migrations.CreateModel(
            name='Rendition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(choices=[('original', 'original'), ('preview', 'preview'), ('thumbnail', 'thumbnail'), ('description', 'description')], max_length=16)),
                ('storage_name', models.CharField(max_length=64, unique=True)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='renditions', to='gallery.sealedimage')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('image', 'name'), name='one_of_each_name')],
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('entry', audit.fields.RawBytesField()),
                ('salt', audit.fields.RawBytesField()),
                ('rights', models.CharField(choices=[('view', 'view'), ('download', 'view and download')], max_length=16)),
                ('ends_at', models.DateTimeField(null=True)),
                ('granted_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_reason', models.CharField(blank=True, choices=[('revoked', 'the owner ended it'), ('ended', 'its time was over'), ('deleted', 'the image was deleted')], max_length=16)),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to=settings.AUTH_USER_MODEL)),
                ('wrapped_key', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, to='accounts.wrappedkey')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='gallery.sealedimage')),
            ],
            options={
                'indexes': [models.Index(fields=['reader', 'ended_at', '-granted_at', 'id', 'image', 'ends_at'], name='grants_of_a_list'), models.Index(condition=models.Q(('ended_at', None), ('wrapped_key', None)), fields=['image'], name='grants_without_a_key'), models.Index(condition=models.Q(('ended_at', None), ('ends_at__isnull', False)), fields=['ends_at'], name='grants_that_end')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('image', 'reader'), name='one_live_grant_per_reader')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=16)),
                ('subject', models.UUIDField()),
                ('sequence', models.PositiveIntegerField()),
                ('body', audit.fields.RawBytesField()),
                ('signature', audit.fields.RawBytesField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'subject', 'sequence'), name='one_statement_per_sequence')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('body', audit.fields.RawBytesField()),
                ('tag', audit.fields.RawBytesField()),
                ('mac_epoch', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(verbose_name='sent')),
                ('read_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('person', 'sequence'), name='one_notice_per_sequence')],
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'indexes': [models.Index(fields=['-created_at', '-id'], name='gallery_not_created_b3906c_idx'), models.Index(condition=models.Q(('read_at', None)), fields=['person'], name='unread_notices')],
            },
        ),
    ]
