"""Safe unless told otherwise; everything from the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*words, **environment):
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def setting(expression, **environment):
    said = run("-c", f"from django.conf import settings as s; print(repr(({expression})))", **(SERVER | environment))
    assert said.returncode == 0, said.stderr
    return eval(said.stdout)


SERVER = {"DJANGO_SETTINGS_MODULE": "couponsite.settings", "SECRET_KEY": "k" * 60}


def test_a_server_does_not_start_without_a_key_of_its_own(tmp_path):
    said = run("-m", "couponsite.serving", VAR_DIR=str(tmp_path), PORT="1")
    assert said.returncode != 0
    assert said.stderr.startswith("SECRET_KEY is not set.")
    assert "Traceback" not in said.stderr
    assert "SECRET_KEY is not set" in run("-c", "import couponsite.wsgi", VAR_DIR=str(tmp_path)).stderr


def test_commands_make_a_key_and_keep_it_to_their_owner(tmp_path):
    ask = ("manage.py", "shell", "-v", "0", "-c", "from django.conf import settings; print(settings.SECRET_KEY)")
    first, second = run(*ask, VAR_DIR=str(tmp_path)), run(*ask, VAR_DIR=str(tmp_path))
    assert len(first.stdout.strip()) > 50
    assert first.stdout == second.stdout
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_nothing_is_open_unless_it_is_said():
    assert setting("(s.DEBUG, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0)") == (
        False,
        True,
        True,
        True,
    )
    assert setting("s.ALLOWED_HOSTS") == ["localhost", "127.0.0.1", "[::1]"]
    assert setting("s.CUSTOMER_JWT_ALGORITHMS, s.CUSTOMER_JWT_AUDIENCE, s.METRICS_TOKEN") == (["HS256"], "coupons", "")


def test_the_environment_is_obeyed(tmp_path):
    assert setting(
        "s.DATABASES['default']['HOST'], s.DATABASES['default']['CONN_MAX_AGE'],"
        "s.TIME_ZONE, s.ALLOWED_HOSTS, s.CELERY_BROKER_URL",
        DATABASE_URL="postgres://u:p@db.example:5433/c", TIME_ZONE="Asia/Urumqi", ALLOWED_HOSTS="a.example,b.example",
        CELERY_BROKER_URL="redis://q.example/1",
    ) == ("db.example", None, "Asia/Urumqi", ["a.example", "b.example"], "redis://q.example/1")  # fmt: skip
    assert setting("s.CELERY_BROKER_URL, str(s.VAR_DIR)", VAR_DIR=str(tmp_path)) == ("filesystem://", str(tmp_path))
    assert "RedisCache" in setting("s.CACHES['default']['BACKEND']", REDIS_URL="redis://r.example/0")


def test_another_kind_of_database_is_refused():
    said = run("-c", "from django.conf import settings; settings.DEBUG", DATABASE_URL="sqlite:///x.db", **SERVER)
    assert "must name a PostgreSQL database" in said.stderr


@pytest.mark.django_db
def test_pages_are_sent_to_https_but_not_on_the_machine_itself(client, settings):
    settings.HTTPS = settings.CSRF_COOKIE_SECURE = True
    settings.ALLOWED_HOSTS = ["coupons.example", "127.0.0.1"]
    away = client.get("/admin/login/?next=/admin/", headers={"Host": "coupons.example"})
    assert (away.status_code, away["Location"]) == (301, "https://coupons.example/admin/login/?next=/admin/")
    here = client.get("/admin/login/", headers={"Host": "127.0.0.1:8000"})
    assert here.status_code == 200
    assert not here.cookies["csrftoken"]["secure"]
    there = client.get("/admin/login/", headers={"Host": "coupons.example"}, secure=True)
    assert there.cookies["csrftoken"]["secure"]


def test_metrics_are_for_who_has_the_token(client, settings):
    assert client.get("/metrics/").status_code == 404
    settings.METRICS_TOKEN = "t0ken"
    assert client.get("/metrics/").status_code == 404
    assert client.get("/metrics/", headers={"Authorization": "Bearer wrong"}).status_code == 404
    client.get("/api/v1/none/")
    told = client.get("/metrics/", headers={"Authorization": "Bearer t0ken"})
    assert b'coupons_door_seconds_count{door="unknown",method="GET",status="404"}' in told.content
