from django.db import migrations

from coupons.installing import catalogued


class Migration(migrations.Migration):
    dependencies = [("distribution", "0001_first_tables"), ("coupons", "0002_catalogue")]

    operations = catalogued("distribution_campaign", "distribution_placement", "distribution_offer")
