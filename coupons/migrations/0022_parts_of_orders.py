from pathlib import Path

from django.db import migrations, models

from coupons.installing import sql_file

SQL = Path(__file__).parent / "sql" / "order_parts.sql"


class Migration(migrations.Migration):
    dependencies = [("coupons", "0021_issue_many_reads_once")]

    operations = [
        migrations.AddField(
            model_name="couponevent",
            name="order_parts",
            field=models.BigIntegerField(db_default=0, verbose_name="order, millionths, change"),
        ),
        sql_file(SQL, migrations.RunSQL.noop),
    ]
