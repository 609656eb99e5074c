"""Compiles each catalogue of words that is newer than what was made of it, so that a fresh clone speaks Chinese.

Needs no gettext on the machine; only `make messages`, which collects new words from the sources, does.
"""

import logging
import os
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
APPS = ("couponsite", "stats", "distribution", "redemption", "coupons")
log = logging.getLogger(__name__)


def sources() -> list[Path]:
    return sorted(po for app in APPS for po in (ROOT / app).glob("*locale/*/LC_MESSAGES/*.po"))


def compile_changed() -> list[Path]:
    """The catalogues that were compiled."""
    done = []
    for po in sources():
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        try:
            handle, fresh = tempfile.mkstemp(dir=mo.parent, suffix=".fresh")
        except PermissionError:
            log.warning("catalogue_not_compiled", extra={"catalogue": str(po)})  # the image was built without a start
            continue
        os.close(handle)
        polib.pofile(str(po)).save_as_mofile(fresh)
        os.chmod(fresh, 0o644)
        os.replace(fresh, mo)  # whole or not at all: another process may be reading
        done.append(po)
    return done
