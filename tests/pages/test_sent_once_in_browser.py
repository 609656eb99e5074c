"""A button that is pressed twice sends once; what only comes back to the page may be sent again."""

import pytest
from playwright.sync_api import Browser, expect

from coupons.models import Audience
from tests.stories.test_whole_chain import browser, sign_in

__all__ = ["browser"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_form_whose_button_is_pressed_twice_is_sent_once(browser: Browser, live_server):
    page = sign_in(browser, live_server.url, "yunying", "运营")
    posts = []
    page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    page.goto(f"{live_server.url}/admin/coupons/audience/add/")
    page.locator("[name=key]").fill("all")
    page.locator("[name=name]").fill("所有人")
    page.evaluate("""() => {
        const save = document.querySelector('[name="_save"]');
        save.click(); save.click(); save.click();
    }""")
    expect(page.locator(".errornote, [role=alert], .errorlist").first).to_be_visible()  # everyone must be ticked
    page.locator("[name=everyone]").check()
    page.locator("[name=_save]").dblclick()
    page.wait_for_url("**/audience/")
    assert Audience.objects.count() == 1
    assert len(posts) == 2, posts
