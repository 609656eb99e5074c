"""Live: the process answers. Ready: it reaches its database, and the tables are the ones it was written for."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView


class Health(APIView):
    _migrated = False  # once true it stays true: tables do not go back while a server runs

    @extend_schema(
        operation_id="health", responses={200: OpenApiTypes.OBJECT, 503: OpenApiTypes.OBJECT}, auth=[], tags=["health"]
    )
    def get(self, request: Request) -> JsonResponse:
        """Live and ready: 200 if this server can do its work, otherwise 503 with what is missing."""
        checks = {"database": False, "migrations": False}
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            checks["database"] = True
            checks["migrations"] = type(self)._migrated or self._look_for_migrations()
        except DatabaseError:
            connection.close()
        ready = all(checks.values())
        return JsonResponse({"live": True, "ready": ready, "checks": checks}, status=200 if ready else 503)

    def _look_for_migrations(self) -> bool:
        executor = MigrationExecutor(connection)
        type(self)._migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return type(self)._migrated
