"""The database in use, as an address for programs that a test or a measurement starts."""

from urllib.parse import quote

from django.db import connection


def address() -> str:
    where = {
        name: str(connection.settings_dict.get(name) or "") for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    }
    who = quote(where["USER"]) + (f":{quote(where['PASSWORD'])}" if where["PASSWORD"] else "")
    port = where["PORT"] or "5432"
    if where["HOST"].startswith("/"):  # a socket's folder goes in the query, where libpq looks for it
        return f"postgres://{who}@/{where['NAME']}?host={quote(where['HOST'], safe='')}&port={port}"
    return f"postgres://{who}@{where['HOST'] or '127.0.0.1'}:{port}/{where['NAME']}"
