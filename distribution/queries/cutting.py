"""How a packet is cut: so many faces out of those on offer, whose sum is exactly the pot."""

from collections.abc import Mapping
from functools import lru_cache
from math import gcd
from random import Random, SystemRandom
from typing import NamedTuple

from coupons.refused import Refused
from distribution.models import Placement, SharePlan

#: Slots times steps of the sum: what is worked out at most.
MOST_WORK = 200_000
_luck = SystemRandom()

#: Template → (face in fen, weight).
Offered = Mapping[int, tuple[int, int]]


class Cut(NamedTuple):
    """Templates slot by slot, and their faces in fen."""

    templates: list[int]
    faces: list[int]


class Impossible(ValueError):
    """No so many faces add up to the pot."""


@lru_cache(maxsize=64)
def _ways(faces: tuple[tuple[int, int], ...], slots: int, pot: int) -> tuple[tuple[int, ...], ...]:
    """``ways[k][s]``: in how many ways, counted by weight, ``k`` faces add up to ``s``."""
    table = [[0] * (pot + 1) for _slot in range(slots + 1)]
    table[0][0] = 1
    for k in range(1, slots + 1):
        for s in range(pot + 1):
            table[k][s] = sum(weight * table[k - 1][s - face] for face, weight in faces if face <= s)
    return tuple(map(tuple, table))


def cut(faces: Mapping[int, int], slots: int, pot_fen: int, luck: Random) -> list[int]:
    """``slots`` faces in fen whose sum is ``pot_fen``; every cut as likely as the weights of its faces say.

    ``faces``: fen → weight.  :raises Impossible: there is none, or it would take too long to find.
    """
    if not faces or slots < 1:
        raise Impossible
    unit = gcd(*faces)
    pot, rest = divmod(pot_fen, unit)
    if rest or slots * pot > MOST_WORK or not slots * min(faces) <= pot_fen <= slots * max(faces):
        raise Impossible
    small = tuple(sorted((face // unit, weight) for face, weight in faces.items()))
    ways = _ways(small, slots, pot)
    if not ways[slots][pot]:
        raise Impossible
    chosen = []
    for k in range(slots, 0, -1):
        drawn = luck.randrange(ways[k][pot])
        for face, weight in small:
            if face > pot:
                continue
            drawn -= weight * ways[k - 1][pot - face]
            if drawn < 0:
                break
        chosen.append(face * unit)
        pot -= face
    return chosen


def even(faces: Mapping[int, int], slots: int, pot_fen: int) -> list[int]:
    """The same face for all.  :raises Impossible: there is none of that size."""
    face, rest = divmod(pot_fen, slots)
    if rest or face not in faces:
        raise Impossible
    return [face] * slots


def of_plan(plan: SharePlan, offered: Offered) -> Cut:
    """A packet's slots, in the order in which they will be taken.

    :raises Refused: ``share_impossible``: the faces on offer do not add up to the sum.
    """
    weights: dict[int, int] = {}
    by_face: dict[int, list[int]] = {}
    for template, (face, weight) in offered.items():
        if face:
            weights[face] = weights.get(face, 0) + weight
            by_face.setdefault(face, []).append(template)
    try:
        if plan.split == SharePlan.Split.EVEN:
            faces = even(weights, plan.slots_count, plan.pot_fen)
        else:
            faces = cut(weights, plan.slots_count, plan.pot_fen, _luck)
    except Impossible:
        raise Refused("share_impossible") from None
    return Cut([_luck.choice(by_face[face]) for face in faces], faces)


def offered_by(placement: Placement) -> Offered:
    """What of a placement can lie in a packet: coupons of a fixed amount."""
    offers = placement.offers.filter(template__amount_fen__isnull=False)
    return {
        template: (face or 0, weight)
        for template, face, weight in offers.values_list("template_id", "template__amount_fen", "weight")
    }
