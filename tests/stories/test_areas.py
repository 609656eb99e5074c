"""围栏: drawn, written or taken over from GeoJSON; asked precisely; refused with the place of the fault."""

import json

import pytest

from coupons.geodesy import gcj02_to_wgs84, wgs84_to_gcj02
from coupons.models import Area
from coupons.queries import catalogue
from coupons.queries.surroundings import areas_at
from tests import making
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db

ADD = "/admin/coupons/area/add/"
IMPORT = "/admin/coupons/area/import/"
SQUARE = [[121.5, 31.2], [121.6, 31.2], [121.6, 31.3], [121.5, 31.3], [121.5, 31.2]]
HOLE = [[121.54, 31.24], [121.54, 31.26], [121.56, 31.26], [121.56, 31.24], [121.54, 31.24]]
FAR = [[120.0, 30.0], [120.1, 30.0], [120.1, 30.1], [120.0, 30.0]]
BOW = [[121.5, 31.2], [121.6, 31.3], [121.6, 31.2], [121.5, 31.3], [121.5, 31.2]]


@pytest.fixture
def page():
    return desk(somebody("运营"), "en")


def _save(page, geojson, **more):
    said = geojson if isinstance(geojson, str) else json.dumps(geojson)
    return page.post(ADD, {"key": "cbd", "name": "商圈", "geojson": said, "datum": "wgs84", **more})


def _inside(lat, lng):
    return "cbd" in areas_at((lat, lng), catalogue.current())


def test_holes_several_parts_and_borders(page, system):
    """I2: a point on the border, also on a hole's, is inside; in the hole it is not."""
    assert _save(page, {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [FAR]]}).status_code == 302
    assert [_inside(31.21, 121.51), _inside(31.25, 121.55), _inside(31.2, 121.55), _inside(31.24, 121.55)] == [
        True,
        False,
        True,
        True,
    ]
    assert _inside(30.02, 120.08)
    assert not _inside(31.2, 121.49999)
    placement = making.placement(making.template(claim_conditions={"areas": {"any_of": ["cbd"]}}))
    address = f"placements/{placement.key}/claims/"
    caller = system("issue")
    answer = caller.post(address, {"customer": "a"}, headers={"Accept-Language": "en"})
    assert (answer.code, answer.reasons) == ("conditions_unmet", ["areas"])
    reason = answer.body["reasons"][0]
    assert reason["unknown"] is True
    assert "position" in reason["remedy"], "says what would help"
    assert caller.post(address, {"customer": "a", "position": {"lat": 31.25, "lng": 121.55}}).status == 409
    lat, lng = wgs84_to_gcj02(31.2100, 121.5001)
    assert caller.post(address, {"customer": "a", "position": {"lat": lat, "lng": lng, "datum": "gcj02"}}).status == 201


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_chinese_maps_shape_is_kept_in_wgs84(page, system, datum):
    """I2: on the page and in the document."""
    assert _save(page, {"type": "Polygon", "coordinates": [SQUARE]}, datum=datum).status_code == 302
    lng, lat = Area.objects.get().geojson["coordinates"][0][0]
    assert 100 < (121.5 - lng) * 95_000 < 1500, "some hundred metres to the west"
    if datum == "gcj02":
        assert [lat, lng] == pytest.approx(gcj02_to_wgs84(31.2, 121.5), abs=1e-7)
    document = {
        "key": "c",
        "name": "c",
        "starts_at": "2026-06-01T00:00:00Z",
        "ends_at": "2026-07-01T00:00:00Z",
        "areas": [
            {"key": "b", "name": "b", "datum": datum, "geojson": {"type": "Polygon", "coordinates": [SQUARE]}},
            {"key": "c", "name": "c", "geojson": {"type": "Polygon", "coordinates": [SQUARE]}},
        ],
    }
    assert system("manage").post("campaigns/", document).status == 201
    assert Area.objects.get(pk="b").geojson == Area.objects.get(pk="cbd").geojson
    assert Area.objects.get(pk="c").geojson["coordinates"] == [SQUARE]


def test_a_border_that_crosses_itself_is_refused_and_its_place_is_marked(page):
    """I2: what was typed stays, the map shows where."""
    answer = _save(page, {"type": "Polygon", "coordinates": [BOW]})
    words = answer.content.decode()
    assert answer.status_code == 200
    assert "crosses or touches itself at 121.55, 31.25" in words
    assert 'data-fault="121.5500000,31.2500000"' in words
    assert "[121.6, 31.3]" in words
    assert not Area.objects.exists()


@pytest.mark.parametrize(
    "geojson",
    [
        "nonsense",
        "",
        "[]",
        "[" * 5000,
        {"type": "Point", "coordinates": [121, 31]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [121, 31]]]},
        {"type": "Polygon", "coordinates": [[[31, 121], [31, 122], [32, 122], [31, 121]]]},
        {"type": "Polygon", "coordinates": "x"},
        {"type": "GeometryCollection", "geometries": []},
    ],
)
@pytest.mark.parametrize("datum", ["wgs84", "bd09"])
def test_what_is_no_shape_is_an_error_of_its_field(page, geojson, datum):
    answer = _save(page, geojson, datum=datum)
    assert answer.status_code == 200
    assert "geojson" in answer.context["adminform"].errors
    assert not Area.objects.exists()


def test_a_file_of_features_becomes_areas_all_or_none(page):
    """I2: from GeoJSON, several at once; heights are left out; the same again changes nothing."""

    def feature(key, ring, name="商圈"):
        return {"type": "Feature", "id": key, "properties": {"名称": name}, "geometry": {"type": "Polygon",
                "coordinates": [[[*position, 4.5] for position in ring]]}}  # fmt: skip

    def post(*features):
        said = json.dumps({"type": "FeatureCollection", "features": features})
        return page.post(IMPORT, {"text": said, "datum": "wgs84", "key_name": "key", "label_name": "名称"})

    answer = post(feature("one", SQUARE), feature("two", BOW), feature("one", FAR), feature(None, FAR))
    assert answer.status_code == 422
    words = answer.content.decode()
    assert all(place in words for place in ("features.1.geojson", "features.2.key", "features.3.key"))
    assert "feature 2, shape" in words
    assert not Area.objects.exists()
    assert post(feature("one", SQUARE), feature("two", FAR)).status_code == 302
    assert Area.objects.get(pk="one").geojson == {"type": "Polygon", "coordinates": [SQUARE]}
    assert Area.objects.get(pk="two").name == "商圈"
    post(feature("one", SQUARE), feature("two", FAR, "滨江"))
    answer = page.get("/admin/coupons/area/")
    assert "0 areas made, 1 changed, 1 as they were." in answer.content.decode()
    for body, field in [({"text": "{"}, "text"), ({"text": ""}, "file")]:
        answer = page.post(IMPORT, {**body, "datum": "wgs84", "key_name": "key", "label_name": "name"})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert desk(somebody("客服")).get(IMPORT).status_code == 403


def test_who_may_only_read_sees_the_map(page):
    _save(page, {"type": "Polygon", "coordinates": [SQUARE]})
    words = desk(somebody("审核"), "en").get("/admin/coupons/area/cbd/change/").content.decode()
    assert "data-reads" in words
    assert "<textarea" not in words
