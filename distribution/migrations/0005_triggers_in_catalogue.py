from django.db import migrations

from coupons.installing import catalogued


class Migration(migrations.Migration):
    dependencies = [("distribution", "0004_triggers")]

    operations = catalogued("distribution_triggerrule", "distribution_messagetemplate")
