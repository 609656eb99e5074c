from pathlib import Path

from django.db import migrations

from coupons.installing import sql_file

SQL = Path(__file__).parent / "sql" / "issue_many_reads_once.sql"


class Migration(migrations.Migration):
    dependencies = [("coupons", "0020_codes_are_sought_whole")]

    operations = [sql_file(SQL, migrations.RunSQL.noop)]
