"""H5 pages of the demo company, with the links that its street teams and a partner carry, and what came by them."""

import io
import random
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from coupons import pictures
from coupons.models import Customer
from coupons.refused import Refused
from distribution import claiming, messages
from distribution.models import ClaimLink, ClaimPage, Placement

FOOD, RIDE = "eat-well", "ride-out"
LINKS = ((FOOD, "人民广场地推1队", 46), (FOOD, "徐家汇地推2队", 31), (RIDE, "如家酒店前台", 18))
CITIES = ("310000", "110000", "440100", "440300", "330100")


def document(campaign: Any, template: Any, placement: Any) -> dict[str, Any]:
    """Made of the same pieces as the other campaigns."""
    once = {"customer_count": 1}
    food = {"scope": {"categories": ["food", "drinks"]}, "category": "food"}
    ride = {"scope": {"categories": ["ride", "premier"]}, "category": "ride"}
    return campaign(
        "street",
        "地推与社群",
        -20,
        50,
        6_000,
        700,
        templates=[
            template("h5-12", "H5-满40减12", "好好吃饭券", 12, 40, limits=once, looks={"design": "festive"}, **food),
            template(
                "h5-ride",
                "H5-打车8折封顶10",
                "出门就走券",
                percent_off="20",
                cap_fen=1000,
                limits=once,
                looks={"design": "lake", "badge": "住客"},
                **ride,
            ),
            template("h5-tea", "H5-奶茶5元", "下午茶券", 5, limits=once, looks={"color": "#7c2d12"}, **food),
        ],
        placements=[
            placement("street-food", "好好吃饭", "street_team", "h5-12", "h5-tea", form="h5", pick="all"),
            placement("street-ride", "出门就走", "partner", "h5-ride", form="h5"),
            placement("street-night", "夜宵不打烊", "street_team", "h5-tea", form="h5", status="draft"),
        ],
    )


def make(luck: random.Random, now: datetime) -> None:
    for key, slug, title, lead, skin, more in (
        ("street-food", FOOD, "好好吃饭，立减12元", "输入手机号，券直接到账", "festive", {"picture": _picture()}),
        ("street-ride", RIDE, "出门就走，打车8折", "酒店住客专享，最高减10元", "sky", {}),
        ("street-night", "late-bites", "夜宵不打烊", "晚上九点后，奶茶立减5元", "night", {}),
    ):
        ClaimPage.objects.create(
            placement=Placement.objects.get(key=key),
            slug=slug,
            title=title,
            lead=lead,
            skin=skin,
            notes="每个手机号限领一份\n领取后7天内有效\n活动最终解释权以活动规则为准",
            use_label="去下单",
            use_url="https://www.example.com/",
            share_text="朋友都在领，手快有手慢无",
            **more,
        )
    for slug, name, people in LINKS:
        page = ClaimPage.objects.get(slug=slug)
        link = ClaimLink.objects.create(page=page, name=name)
        for customer in luck.sample(list(Customer.objects.filter(key__startswith="C")), people):
            _come(luck, page, link, customer, now - timedelta(minutes=luck.randint(5, 2 * 24 * 60)))
    messages.send_due(threads=1)


def _come(luck: random.Random, page: ClaimPage, link: ClaimLink, customer: Customer, at: datetime) -> None:
    """Somebody scans the link's code, claims, and is told by SMS."""
    try:
        where = claiming.Where("wechat", luck.choice(CITIES))
        claiming.claim(page.placement.key, customer.key, at, where, by=f"customer:{customer.key}", reason=link.reason)
    except Refused:
        return
    until = (at + timedelta(days=6)).date().isoformat()
    said = {
        "nickname": customer.nickname,
        "coupon": page.title,
        "until": until,
        "link": "https://example.com/h5/wallet/",
    }
    messages.put(f"h5:{link.pk}:{customer.key}", "coupon-issued", customer, said, now=at, by="system:h5")


def _picture() -> str:
    """A bowl of noodles before a warm wall, drawn on the spot."""
    wide, high = 1200, 560
    picture = Image.new("RGB", (wide, high), "#b42318")
    draw = ImageDraw.Draw(picture)
    for step in range(14):
        radius = 620 - step * 36
        draw.ellipse(
            (600 - radius, 330 - radius, 600 + radius, 330 + radius),
            fill=(180 + step * 5, 40 + step * 12, 24 + step * 6),
        )
    draw.chord((330, 60, 870, 600), 0, 180, fill="#fff7ed")
    draw.ellipse((330, 280, 870, 380), fill="#fdba74")
    for strand in range(9):
        draw.arc((360 + strand * 52, 270, 470 + strand * 52, 380), 200, 520, fill="#fef3c7", width=14)
    draw.ellipse((470, 292, 560, 346), fill="#fff7ed")
    draw.ellipse((496, 304, 536, 334), fill="#f59e0b")
    draw.line((700, 90, 610, 330), fill="#451a03", width=16)
    draw.line((760, 100, 640, 335), fill="#451a03", width=16)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88)
    return pictures.keep(SimpleUploadedFile("head.jpg", content.getvalue()))
