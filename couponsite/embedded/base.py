"""Django's own PostgreSQL backend, which sees to it that the embedded server runs before it connects."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from couponsite import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        embedded.server(Path(params.pop("embedded_in"))).use()
        return params
