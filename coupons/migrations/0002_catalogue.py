from pathlib import Path

from django.db import migrations

from coupons.installing import catalogued, sql_file

HERE = Path(__file__).parent


class Migration(migrations.Migration):
    dependencies = [("coupons", "0001_first_tables")]

    operations = [
        migrations.RunSQL("INSERT INTO coupons_catalogue (id, version) VALUES (1, 1)", migrations.RunSQL.noop),
        sql_file(HERE / "sql" / "catalogue.sql", "DROP FUNCTION coupons_catalogue_changed"),
        *catalogued(
            "coupons_area",
            "coupons_audience",
            "coupons_category",
            "coupons_city",
            "coupons_coupontemplate",
            "coupons_merchant",
            "coupons_weather",
        ),
        # Rows that change with every claim leave room for their next version on the same page.
        migrations.RunSQL(
            "ALTER TABLE coupons_supply SET (fillfactor = 40); ALTER TABLE coupons_budget SET (fillfactor = 40);"
            "ALTER TABLE coupons_customercounter SET (fillfactor = 90)",
            migrations.RunSQL.noop,
        ),
    ]
