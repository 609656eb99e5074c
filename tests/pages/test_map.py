"""The map of areas in a browser: what is drawn is written, what is written is drawn, in whatever datum."""

import json

import pytest
from playwright.sync_api import expect

from coupons.geodesy import bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_gcj02
from coupons.models import Area
from tests.pages.company import BLOCK
from tests.stories.test_whole_chain import browser, sign_in

__all__ = ["browser"]  # the fixture

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_area_is_drawn_moved_and_kept(browser, socket):
    """I2: with the mouse, by the text, on a phone's width; nothing is asked of other hosts."""
    Area.objects.create(key="block", name="陆家嘴", geojson=BLOCK)
    page = sign_in(browser, socket, "xiaolin", "运营", width=390)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{socket}/admin/coupons/area/add/")
    page.fill("[name=key]", "drawn")
    page.fill("[name=name]", "画的")
    page.locator(".desk-map-go input").fill("31.24, 121.50")
    page.locator(".desk-map-go button").click()
    page.locator(".leaflet-pm-icon-rectangle").click()
    box = page.locator("[data-map]").bounding_box()
    for x, y in ((0.4, 0.4), (0.8, 0.7)):
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    expect(page.locator("[name=geojson]")).not_to_have_value("")
    written = json.loads(page.locator("[name=geojson]").input_value())
    assert written["type"] == "Polygon"
    assert all(121.4 < lng < 121.6 and 31.1 < lat < 31.3 for lng, lat in written["coordinates"][0])
    with page.expect_navigation():
        page.locator("[name=_save]").click()
    assert Area.objects.get(pk="drawn").geojson == written

    page.goto(f"{socket}/admin/coupons/area/block/change/")
    bow = [[121.5, 31.22], [121.52, 31.25], [121.52, 31.22], [121.5, 31.25], [121.5, 31.22]]
    page.locator("[name=geojson]").fill(json.dumps({"type": "Polygon", "coordinates": [bow]}))
    expect(page.locator(".leaflet-overlay-pane path.leaflet-interactive")).to_have_count(1)
    page.locator("[name=_save]").click()
    expect(page.locator(".desk-map-fault")).to_be_visible()
    page.locator("[name=geojson]").fill("nonsense")
    expect(page.locator(".desk-map-wrong")).to_be_visible()
    assert all(url.startswith((socket, "data:", "blob:")) for url in asked)

    moved = page.evaluate(
        """() => { const { toGcj, toWgs } = document.querySelector("[data-map]").desk;
        return [toGcj([31.24, 121.5]), toWgs.gcj02([31.24, 121.5]), toWgs.bd09([39.9, 116.4]), toGcj([51.5, 0])]; }"""
    )
    expected = [wgs84_to_gcj02(31.24, 121.5), gcj02_to_wgs84(31.24, 121.5), bd09_to_wgs84(39.9, 116.4), (51.5, 0)]
    for here, there in zip(moved, expected, strict=True):
        assert here == pytest.approx(there, abs=1e-7)
