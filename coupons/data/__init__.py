"""Data that comes with the program; sources and licences are in the README beside it."""

import csv
from importlib.resources import files
from typing import TypedDict


class CityRow(TypedDict):
    key: str
    name: str
    name_en: str
    province: str
    lat: float
    lng: float


def cities() -> list[CityRow]:
    """Every city by GB/T 2260 code, in the order of codes; ``lat`` and ``lng`` are WGS-84."""
    with (files(__name__) / "cities.csv").open(encoding="utf-8") as lines:
        return [
            CityRow(
                key=row["key"],
                name=row["name"],
                name_en=row["name_en"],
                province=row["province"],
                lat=float(row["lat"]),
                lng=float(row["lng"]),
            )
            for row in csv.DictReader(lines)
        ]
