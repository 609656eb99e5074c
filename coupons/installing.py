"""SQL that lies in a file beside the migrations, installed by one of them."""

from pathlib import Path

from django.db import migrations

CATALOGUED = """
CREATE TRIGGER {table}_changes_catalogue AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION coupons_catalogue_changed()
"""


def sql_file(path: Path, undo: str) -> migrations.RunSQL:
    return migrations.RunSQL(path.read_text("utf-8"), undo)


def catalogued(*tables: str) -> list[migrations.RunSQL]:
    """Triggers that raise the catalogue's version whenever one of these tables changes."""
    return [
        migrations.RunSQL(CATALOGUED.format(table=table), f"DROP TRIGGER {table}_changes_catalogue ON {table}")
        for table in tables
    ]
