from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

HERE = Path(__file__).parent
FUNCTIONS = ("event", "hold", "redeem", "release", "give_back", "purse", "expire", "expired", "lapse", "void")


class Migration(migrations.Migration):
    dependencies = [("coupons", "0004_issue")]

    operations = [
        sql_file(HERE / "sql" / "use.sql", "; ".join(f"DROP FUNCTION coupons_{name}" for name in FUNCTIONS)),
    ]
