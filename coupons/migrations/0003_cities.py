from django.db import migrations

from coupons.data import cities


def add_cities(apps, schema_editor):
    City = apps.get_model("coupons", "City")
    fields = ("key", "name", "name_en", "province")
    City.objects.bulk_create(City(**{field: row[field] for field in fields}) for row in cities())


class Migration(migrations.Migration):
    dependencies = [("coupons", "0002_catalogue")]

    operations = [migrations.RunPython(add_cities, migrations.RunPython.noop)]
