from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

HERE = Path(__file__).parent


class Migration(migrations.Migration):
    dependencies = [("distribution", "0016_bindings_by_phone")]

    operations = [sql_file(HERE / "sql" / "rest.sql", "DROP FUNCTION distribution_rest")]
