import re
from collections import Counter

from coupons.data import cities
from coupons.geodesy import gcj02_to_wgs84

BY_KEY = {city["key"]: city for city in cities()}


def test_every_unit_of_prefecture_level_is_there_and_what_stands_directly_under_a_province():
    assert len(BY_KEY) == len(cities()) == 333 + 4 + 32 + 3
    assert sum(key[2:4] == "90" for key in BY_KEY) == 32
    assert sum(key.endswith("0000") for key in BY_KEY) == 4 + 3


def test_they_come_in_the_order_of_their_codes():
    assert list(BY_KEY) == sorted(BY_KEY)
    assert all(re.fullmatch(r"\d{6}", key) for key in BY_KEY)


def test_no_two_cities_share_a_name_in_either_language():
    for column in ("name", "name_en"):
        assert not [name for name, count in Counter(city[column] for city in cities()).items() if count > 1]


def test_each_name_is_in_its_own_script_and_fits_its_column():
    for city in cities():
        assert re.fullmatch(r"[\u4e00-\u9fff]{2,20}", city["name"]), city
        assert re.fullmatch(r"[\u4e00-\u9fff]{3,20}", city["province"]), city
        assert re.fullmatch(r"[A-Z][A-Za-zü' ()]{2,59}", city["name_en"]), city


def test_cities_that_everybody_knows_are_what_they_are():
    names = {key: (BY_KEY[key]["name"], BY_KEY[key]["name_en"], BY_KEY[key]["province"]) for key in BY_KEY}
    assert names["310000"] == ("上海市", "Shanghai", "上海市")
    assert names["330100"] == ("杭州市", "Hangzhou", "浙江省")
    assert names["440100"] == ("广州市", "Guangzhou", "广东省")
    assert names["320500"] == ("苏州市", "Suzhou (Jiangsu)", "江苏省")
    assert names["341300"] == ("宿州市", "Suzhou (Anhui)", "安徽省")
    assert names["610100"] == ("西安市", "Xi'an", "陕西省")
    assert names["140400"] == ("长治市", "Changzhi", "山西省")
    assert names["230100"] == ("哈尔滨市", "Harbin", "黑龙江省")
    assert names["222400"] == ("延边朝鲜族自治州", "Yanbian Korean Autonomous Prefecture", "吉林省")
    assert names["429004"] == ("仙桃市", "Xiantao", "湖北省")
    assert names["659012"] == ("白杨市", "Baiyang", "新疆维吾尔自治区")
    assert names["810000"] == ("香港特别行政区", "Hong Kong", "香港特别行政区")


def test_every_city_stands_in_china_and_has_a_place_of_its_own():
    positions = [(city["lat"], city["lng"]) for city in cities()]
    assert all(16 < lat < 54 and 73 < lng < 135 for lat, lng in positions)
    assert len({(round(lat, 2), round(lng, 2)) for lat, lng in positions}) == len(positions)


def test_positions_of_every_city_but_taiwans_are_on_shifted_maps():
    unmoved = [
        city["key"] for city in cities() if gcj02_to_wgs84(city["lat"], city["lng"]) == (city["lat"], city["lng"])
    ]
    assert unmoved == ["710000"]
