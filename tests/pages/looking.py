"""A browser, and what the eye sees at once but a browser some moments after it was told."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as NeverSo

#: Milliseconds in which something comes to be so, on a machine that is busy with other things too.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))), args=[*QUIET, *switches]
        )
        yield browser
        browser.close()
        connections.close_all()  # the test's own: a thread with a running loop, as Playwright's is, has others


def fits(page: Page) -> bool:
    """Nothing is wider than the window. Charts are drawn anew only after a window has changed: they are waited for."""
    assert page.viewport_size
    try:
        page.wait_for_function(
            "width => document.documentElement.scrollWidth <= width", arg=page.viewport_size["width"], timeout=PATIENCE
        )
    except NeverSo:
        return False
    return True
