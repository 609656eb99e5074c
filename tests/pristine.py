"""Puts a committed test database back as the migrations left it, much faster than Django's flush.

Only tables that have rows are emptied, and what migrations put in (cities, permissions, the catalogue's version) is
compared with a copy in the schema `pristine` and copied back where it differs.
"""

from typing import Any

from django.db import connection

OWN = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'django_migrations'"


def keep() -> None:
    """After the migrations: remembers every row that there is."""
    with connection.cursor() as db:
        db.execute("DROP SCHEMA IF EXISTS pristine CASCADE; CREATE SCHEMA pristine")
        for table in _with_rows(db):
            db.execute(f'CREATE TABLE pristine."{table}" AS TABLE "{table}"')


def restore(_case: Any = None) -> None:
    with connection.cursor() as db:
        db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'pristine'")
        kept = {name for (name,) in db.fetchall()}
        # Neither foreign keys nor triggers have a say in this.
        db.execute("SET session_replication_role = replica")
        try:
            if names := ", ".join(f'"{table}"' for table in _with_rows(db) if table not in kept):
                db.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
            for table in sorted(kept):
                if _differs(db, table):
                    db.execute(f'DELETE FROM "{table}"; INSERT INTO "{table}" TABLE pristine."{table}"')
        finally:
            db.execute("SET session_replication_role = origin")


def _with_rows(db: Any) -> list[str]:
    db.execute(OWN)
    tables = [name for (name,) in db.fetchall()]
    db.execute(" UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables))
    return [name for (name,) in db.fetchall()]


def _differs(db: Any, table: str) -> bool:
    db.execute(
        f'SELECT (SELECT count(*) FROM "{table}") <> (SELECT count(*) FROM pristine."{table}")'
        f' OR EXISTS (TABLE "{table}" EXCEPT TABLE pristine."{table}")'
    )
    return bool(db.fetchone()[0])
