from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

HERE = Path(__file__).parent
FUNCTIONS = ("answered", "deduct", "redeem", "capture", "release")


class Migration(migrations.Migration):
    dependencies = [("redemption", "0001_first_tables"), ("coupons", "0005_use")]

    operations = [
        sql_file(HERE / "sql" / "redeem.sql", "; ".join(f"DROP FUNCTION redemption_{name}" for name in FUNCTIONS)),
    ]
