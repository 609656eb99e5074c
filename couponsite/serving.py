"""The production server: `python -m couponsite.serving` is `make serve`.

PORT (8000), WORKERS (one per core), THREADS (4 per worker) and HOST (0.0.0.0) come from the environment.
"""

import os
import shutil
import sys
from pathlib import Path

#: A server that was frozen in the middle of something must not keep others waiting for its rows.
WAITS = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


def command(host: str, port: int, workers: int, threads: int = 4) -> list[str]:
    """The arguments that start the web server; why this one: docs/performance.md."""
    return [
        *(sys.executable, "-m", "granian", "couponsite.wsgi:application", "--interface", "wsgi"),
        *("--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--respawn-failed-workers"),
        *("--backlog", "1024", "--no-ws", "--http", "1", "--log-level", "warning"),
    ]


def metrics_folder(var: Path) -> str:
    """An empty folder in which the workers add up what Prometheus asks for."""
    folder = var / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "couponsite.settings")
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command

    os.environ["STATIC_COLLECTED"] = "true"
    try:
        django.setup()
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    call_command("collectstatic", interactive=False, verbosity=0)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_folder(settings.VAR_DIR)
    host, port = os.environ.get("HOST") or "0.0.0.0", int(os.environ.get("PORT") or 8000)  # noqa: S104
    workers, threads = (
        int(os.environ.get(name) or usual) for name, usual in (("WORKERS", os.cpu_count() or 1), ("THREADS", 4))
    )
    os.environ.setdefault("PGOPTIONS", WAITS)
    asked = command(host, port, workers, threads)
    os.execv(asked[0], asked)  # noqa: S606


if __name__ == "__main__":
    main()
