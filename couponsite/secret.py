"""The key that signs sessions. Servers are given it as SECRET_KEY; demo and commands keep one of their own."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def var_dir() -> Path:
    return Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var").resolve()


def keep_one() -> str:
    """Sets SECRET_KEY for this process, unless it is set."""
    if not os.environ.get("SECRET_KEY"):
        os.environ["SECRET_KEY"] = kept("secret_key")
    return os.environ["SECRET_KEY"]


def kept(name: str) -> str:
    """A secret made once and kept in VAR_DIR, readable by its owner alone."""
    home = var_dir() / name
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=home.parent)
        with os.fdopen(handle, "w") as new:
            new.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, home)  # the first of two keeps its own; both read the same
        os.unlink(fresh)
    return home.read_text()
