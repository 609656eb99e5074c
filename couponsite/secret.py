"""The key that signs sessions. Servers are given it as SECRET_KEY; demo and commands keep one of their own."""

import os
import secrets
from pathlib import Path


def var_dir() -> Path:
    return Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var").resolve()


def keep_one() -> str:
    """Sets SECRET_KEY for this process, unless it is set: made once, kept in VAR_DIR, readable by its owner alone."""
    if not os.environ.get("SECRET_KEY"):
        home = var_dir() / "secret_key"
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(home, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(64))
        except FileExistsError:
            pass
        os.environ["SECRET_KEY"] = home.read_text()
    return os.environ["SECRET_KEY"]
