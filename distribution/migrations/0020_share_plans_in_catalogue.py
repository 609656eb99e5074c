from django.db import migrations

from coupons.installing import catalogued


class Migration(migrations.Migration):
    dependencies = [("distribution", "0019_room_in_lines")]

    operations = catalogued("distribution_shareplan")
