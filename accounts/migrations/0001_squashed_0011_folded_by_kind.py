"""Made by squashmigrations: what new installations run in place of all it replaces.

It leaves out what those did to rows: there are none yet.
"""

import audit.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('accounts', '0001_initial'), ('accounts', '0002_windows_end'), ('accounts', '0003_raw_bytes'), ('accounts', '0004_oversight'), ('accounts', '0005_keys_for_life'), ('accounts', '0006_rotation'), ('accounts', '0007_organisation'), ('accounts', '0008_unlock_keys'), ('accounts', '0009_folded_refusals'), ('accounts', '0010_wrapped_key_checks'), ('accounts', '0011_folded_by_kind')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('username', models.CharField(max_length=32, unique=True, verbose_name='username')),
                ('skeleton', models.CharField(editable=False, max_length=64, unique=True)),
                ('display_name', models.CharField(blank=True, max_length=80, verbose_name='display name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('is_staff', models.BooleanField(default=False, verbose_name='staff')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('joined_at', models.DateTimeField(auto_now_add=True, verbose_name='joined')),
                ('master_key_version', models.PositiveIntegerField(default=0, editable=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('quota_bytes', models.PositiveBigIntegerField(editable=False, null=True)),
                ('session_epoch', models.PositiveIntegerField(default=0, editable=False)),
                ('organisation_told_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'abstract': False,
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
            },
        ),
        migrations.CreateModel(
            name='Custody',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('master_key_version', models.PositiveIntegerField()),
                ('wrapped_master_key', audit.fields.RawBytesField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('idle_ends_at', models.DateTimeField(db_index=True)),
                ('absolute_ends_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='custody', to=settings.AUTH_USER_MODEL)),
                ('unlock_key', models.CharField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='KeyPair',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('signing', 'signing'), ('encryption', 'reading')], max_length=16)),
                ('epoch', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('primary', 'in use'), ('open-only', 'opens earlier images'), ('compromised', 'compromised'), ('destroyed', 'destroyed')], default='primary', max_length=16)),
                ('public_key', audit.fields.RawBytesField()),
                ('fingerprint', models.CharField(max_length=64, unique=True)),
                ('wrapped_private_key', audit.fields.RawBytesField(null=True)),
                ('master_key_version', models.PositiveIntegerField()),
                ('certificate', audit.fields.RawBytesField()),
                ('certificate_signature', audit.fields.RawBytesField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='key_pairs', to=settings.AUTH_USER_MODEL)),
                ('compromised_at', models.DateTimeField(null=True)),
                ('endorsement', audit.fields.RawBytesField(null=True)),
                ('endorsement_signature', audit.fields.RawBytesField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'purpose', 'epoch'), name='one_key_pair_per_epoch'), models.UniqueConstraint(condition=models.Q(('state', 'primary')), fields=('user', 'purpose'), name='one_primary_key_pair')],
                'verbose_name': 'key pair',
                'verbose_name_plural': 'key pairs',
            },
        ),
        migrations.CreateModel(
            name='KeySlot',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('password', 'password'), ('recovery-code', 'recovery code'), ('organisation', 'the organisation'), ('answer', "the organisation's answer")], max_length=16)),
                ('master_key_version', models.PositiveIntegerField()),
                ('wrapped_master_key', audit.fields.RawBytesField()),
                ('salt', audit.fields.RawBytesField()),
                ('time_cost', models.PositiveIntegerField(null=True)),
                ('memory_kib', models.PositiveIntegerField(null=True)),
                ('parallelism', models.PositiveIntegerField(null=True)),
                ('wrapped_confirmation', audit.fields.RawBytesField(null=True)),
                ('confirm_first', models.PositiveSmallIntegerField(null=True)),
                ('confirm_second', models.PositiveSmallIntegerField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='key_slots', to=settings.AUTH_USER_MODEL)),
                ('ends_at', models.DateTimeField(null=True)),
                ('organisation_key', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'kind', 'master_key_version'), name='one_slot_of_each_kind')],
            },
        ),
        migrations.CreateModel(
            name='MacKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('epoch', models.PositiveIntegerField()),
                ('wrapped_key', audit.fields.RawBytesField()),
                ('notice_key_id', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mac_keys', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'epoch'), name='one_mac_key_per_epoch')],
            },
        ),
        migrations.CreateModel(
            name='ThrottleWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(max_length=32)),
                ('subject', models.CharField(max_length=64)),
                ('count', models.PositiveIntegerField(default=1)),
                ('ends_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('scope', 'subject'), name='one_window_per_subject')],
            },
        ),
        migrations.CreateModel(
            name='WrappedKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject', models.UUIDField(db_index=True)),
                ('lock', models.PositiveIntegerField()),
                ('oaep_bytes', audit.fields.RawBytesField()),
                ('quick_key', audit.fields.RawBytesField(null=True)),
                ('key_pair', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='wrapped_keys', to='accounts.keypair')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key_pair', 'subject', 'lock'), name='one_wrapped_key_per_lock')],
            },
        ),
        migrations.CreateModel(
            name='Invite',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('token_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('display_name', models.CharField(max_length=80, verbose_name='name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ends_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('taken_back_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='invites', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'invite',
                'verbose_name_plural': 'invites',
            },
        ),
        migrations.CreateModel(
            name='KeyOrder',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('signing', 'signing'), ('encryption', 'reading')], max_length=16)),
                ('reason', models.CharField(choices=[('routine', 'planned'), ('compromised', 'may be known to somebody else'), ('rewrap', 'brought together')], max_length=16)),
                ('ordered_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_ends_at', models.DateTimeField(null=True)),
                ('replaced_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('proof_digest', models.CharField(blank=True, max_length=64)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='key_orders', to=settings.AUTH_USER_MODEL)),
                ('rewrapped_up_to', models.UUIDField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('done_at', None)), fields=('user', 'purpose'), name='one_open_order_per_purpose')],
            },
        ),
        migrations.CreateModel(
            name='NewStart',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField()),
                ('stopped_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='new_starts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('done_at', None), ('stopped_at', None)), fields=('user',), name='one_waiting_new_start')],
            },
        ),
        migrations.CreateModel(
            name='Pins',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pins', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('body', audit.fields.RawBytesField()),
                ('tag', audit.fields.RawBytesField()),
            ],
        ),
        migrations.CreateModel(
            name='FoldedRefusals',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=64)),
                ('whose', models.CharField(db_index=True, max_length=64)),
                ('actor', models.UUIDField(null=True)),
                ('request', models.CharField(max_length=32)),
                ('count', models.PositiveIntegerField(default=0)),
                ('ends_at', models.DateTimeField(db_index=True)),
                ('about', models.UUIDField(null=True)),
                ('facts', models.TextField()),
                ('kind', models.CharField(max_length=64)),
            ],
        ),
        # By itself, as the replaced ones do it: else PostgreSQL gives the constraint another name.
        migrations.AlterField(
            model_name='foldedrefusals',
            name='kind',
            field=models.CharField(max_length=64, unique=True),
        ),
        migrations.CreateModel(
            name='WrappedKeyCheck',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to=settings.AUTH_USER_MODEL)),
                ('up_to', models.UUIDField(null=True)),
                ('checked', models.PositiveIntegerField(default=0)),
                ('damaged', models.PositiveIntegerField(default=0)),
                ('looked_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
            ],
        ),
    ]
