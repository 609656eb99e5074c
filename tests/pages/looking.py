"""What the eye sees at once, and a browser some moments after it was told."""

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NeverSo


def fits(page: Page) -> bool:
    """Nothing is wider than the window. Charts are drawn anew only after a window has changed: they are waited for."""
    assert page.viewport_size
    try:
        page.wait_for_function(
            "width => document.documentElement.scrollWidth <= width", arg=page.viewport_size["width"], timeout=10_000
        )
    except NeverSo:
        return False
    return True
