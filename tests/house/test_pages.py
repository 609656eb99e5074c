"""The addresses of the house itself."""

import re

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


def test_health_says_live_and_ready(client: Client):
    response = client.get("/api/v1/health/")
    assert response.status_code == 200
    assert response.json() == {"live": True, "ready": True, "checks": {"database": True, "migrations": True}}


def test_health_says_when_the_database_is_out_of_reach(client: Client, monkeypatch):
    def gone():
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", gone)
    monkeypatch.setattr(connection, "close", lambda: None)
    response = client.get("/api/v1/health/")
    assert response.status_code == 503
    assert response.json() == {"live": True, "ready": False, "checks": {"database": False, "migrations": False}}


def test_swagger_ui_asks_no_other_host(client: Client):
    page = client.get("/api/v1/schema/ui/").content.decode()
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page) + re.findall(r"""url:\s*["']([^"']+)""", page)
    assert any("swagger-ui" in address for address in addresses)
    assert [address for address in addresses if address.startswith(("http", "//"))] == []


def test_the_front_door_leads_to_the_admin(client: Client):
    assert client.get("/")["Location"] == "/admin/"


def test_too_many_wrong_passwords_lock_out_with_a_page_in_chinese(client: Client, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _attempt in range(3):
        response = client.post("/admin/login/", {"username": "anna", "password": "wrong"})
    assert response.status_code == 429
    assert "登录尝试过多" in response.content.decode()


def test_a_request_to_the_api_touches_no_session(client: Client, query_count):
    client.cookies["sessionid"] = "x" * 32
    with query_count() as count:
        response = client.get("/api/v1/none/")
    assert count.statements == 0
    assert "Cookie" not in response["Vary"]
