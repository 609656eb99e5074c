import distribution.models.codes
from pathlib import Path

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from coupons.installing import sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0006_jobs'),
        ('distribution', '0006_control_group'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CodeAttempts',
            fields=[
                ('scope', models.CharField(max_length=74, primary_key=True, serialize=False)),
                ('failed_at', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None)),
            ],
            options={
                'verbose_name': 'wrong codes',
                'verbose_name_plural': 'wrong codes',
            },
        ),
        migrations.CreateModel(
            name='CodeBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('kind', models.CharField(choices=[('latin', 'letters and digits'), ('chinese', 'Chinese words'), ('shared', 'one code for many customers'), ('imported', 'codes made elsewhere')], default='latin', max_length=8, verbose_name='kind')),
                ('state', models.CharField(choices=[('new', 'new'), ('running', 'being made'), ('ready', 'ready'), ('closed', 'closed')], default='new', max_length=8, verbose_name='state')),
                ('code_count', models.PositiveIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)], verbose_name='number of codes')),
                ('length', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='length')),
                ('bits', models.FloatField(blank=True, null=True, verbose_name='bits')),
                ('named', models.BooleanField(default=False, verbose_name='for named customers')),
                ('shared_code', models.CharField(blank=True, max_length=40, verbose_name='the shared code')),
                ('use_limit', models.PositiveBigIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000000)], verbose_name='uses of each code')),
                ('file', models.FileField(blank=True, upload_to=distribution.models.codes._place, verbose_name='file')),
                ('handing_at', models.DateTimeField(null=True)),
                ('handed_at', models.DateTimeField(null=True, verbose_name='taken away')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('closed_at', models.DateTimeField(null=True, verbose_name='closed at')),
                ('file_job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='coupons.job')),
                ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='coupons.job', verbose_name='background job')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by')),
                ('placement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='distribution.placement', verbose_name='placement')),
            ],
            options={
                'verbose_name': 'batch of codes',
                'verbose_name_plural': 'batches of codes',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CodeDownload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('whole', models.BooleanField(verbose_name='whole codes')),
                ('completed_at', models.DateTimeField(null=True, verbose_name='completed at')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downloads', to='distribution.codebatch')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'download of codes',
                'verbose_name_plural': 'downloads of codes',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RedemptionCode',
            fields=[
                ('digest', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('hint', models.CharField(max_length=4, verbose_name='code')),
                ('customer', models.CharField(max_length=64, null=True, verbose_name='for')),
                ('use_limit', models.BigIntegerField(verbose_name='uses at most')),
                ('used_count', models.BigIntegerField(verbose_name='used')),
                ('batch', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='distribution.codebatch', verbose_name='batch')),
            ],
            options={
                'verbose_name': 'redemption code',
                'verbose_name_plural': 'redemption codes',
            },
        ),
        migrations.CreateModel(
            name='CodeExchange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer', models.CharField(max_length=64, verbose_name='customer')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('coupons', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None, verbose_name='coupons')),
                ('batch', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='exchanges', to='distribution.codebatch')),
                ('code', models.ForeignKey(db_column='digest', db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='exchanges', to='distribution.redemptioncode')),
            ],
            options={
                'verbose_name': 'exchange of a code',
                'verbose_name_plural': 'exchanges of codes',
            },
        ),
        migrations.CreateModel(
            name='CodeSheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('sealed', models.BinaryField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sheets', to='distribution.codebatch')),
            ],
            options={
                'verbose_name': 'sheet of codes',
                'verbose_name_plural': 'sheets of codes',
                'constraints': [models.UniqueConstraint(fields=('batch', 'number'), name='code_sheet_once')],
            },
        ),
        migrations.AddIndex(
            model_name='redemptioncode',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['batch'], name='code_batch'),
        ),
        migrations.AddConstraint(
            model_name='redemptioncode',
            constraint=models.CheckConstraint(condition=models.Q(('used_count__gte', 0), ('used_count__lte', models.F('use_limit'))), name='code_use_limit'),
        ),
        migrations.AddConstraint(
            model_name='codeexchange',
            constraint=models.UniqueConstraint(fields=('code', 'customer'), name='code_once_a_customer'),
        ),
        sql_file(
            Path(__file__).parent / "sql" / "try_code.sql",
            "DROP FUNCTION distribution_try_code; DROP FUNCTION distribution_right_code",
        ),
    ]
