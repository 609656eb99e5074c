from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

HERE = Path(__file__).parent


class Migration(migrations.Migration):
    dependencies = [("coupons", "0003_cities")]

    operations = [sql_file(HERE / "sql" / "issue.sql", "DROP FUNCTION coupons_issue")]
