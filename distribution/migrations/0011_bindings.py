import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0013_issue_many'),
        ('distribution', '0010_h5'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BindingLine',
            fields=[
                ('pk', models.CompositePrimaryKey('binding_id', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('binding_id', models.BigIntegerField()),
                ('number', models.BigIntegerField()),
                ('account', models.CharField(max_length=64, verbose_name='account')),
                ('customer_id', models.BigIntegerField(null=True)),
                ('outcome', models.CharField(max_length=32, null=True, verbose_name='outcome')),
                ('coupons', models.SmallIntegerField(default=0, verbose_name='coupons')),
            ],
            options={
                'verbose_name': 'account of a binding',
                'verbose_name_plural': 'accounts of bindings',
            },
        ),
        migrations.CreateModel(
            name='Binding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('state', models.CharField(choices=[('counting', 'being looked over'), ('counted', 'to be confirmed'), ('awaiting', 'awaiting a second person'), ('scheduled', 'confirmed'), ('done', 'done'), ('called_back', 'called back')], default='counting', max_length=11, verbose_name='state')),
                ('looked', models.JSONField(default=dict, verbose_name='dry run')),
                ('did', models.JSONField(default=dict, verbose_name='result')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('starts_at', models.DateTimeField(null=True, verbose_name='begins at')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended at')),
                ('again_for', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='distribution.binding', verbose_name='again for')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('audience', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='coupons.audience', verbose_name='audience')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='coupons.job', verbose_name='background job')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by')),
                ('placement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bindings', to='distribution.placement', verbose_name='placement')),
            ],
            options={
                'verbose_name': 'binding',
                'verbose_name_plural': 'bindings',
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('confirmed_by')), _negated=True), _connector='OR'), name='binding_needs_two', violation_error_message='Whoever confirms it cannot be its second person.')],
            },
        ),
        migrations.RunSQL(  # room for each account's outcome beside its line
            "ALTER TABLE distribution_bindingline SET (fillfactor = 60)",
            "ALTER TABLE distribution_bindingline RESET (fillfactor)",
        ),
    ]
