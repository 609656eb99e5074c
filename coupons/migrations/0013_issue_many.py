from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

HERE = Path(__file__).parent


class Migration(migrations.Migration):
    dependencies = [("coupons", "0012_checked")]

    operations = [
        sql_file(
            HERE / "sql" / "issue_many.sql",
            "DROP FUNCTION coupons_issue_many; DROP FUNCTION coupons_room; DROP FUNCTION coupons_look_many",
        )
    ]
