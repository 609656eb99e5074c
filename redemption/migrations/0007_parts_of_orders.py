from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

SQL = Path(__file__).parent / "sql" / "order_parts.sql"


class Migration(migrations.Migration):
    dependencies = [("redemption", "0006_entry_once"), ("coupons", "0022_parts_of_orders")]

    operations = [sql_file(SQL, migrations.RunSQL.noop)]
