"""The set of a wallet that takes most off: by branch and bound. Exact for 200 coupons in four stack groups that share
lines, however they cut across each other; beyond that, unless the search would take too long.

Coupons of different stack groups meet only in what is left on shared lines. So groups that share no line (shipping and
goods above all) are settled apart, and among those that do a branch is cut where even its bound falls short:

- A coupon takes ``min(alone, half-up(rate * left))``: this never falls when more is left and never grows faster than
  what is left does, in whole fen as in fractions.
- What is left on a set of lines never grows. So letting each further group in turn take its most from what is left
  *now* on its own lines, and together never more than is left on all of them, is a bound that no rounding can beat.

Where many groups cut across each other's lines, no bound keeps the search short: the question is a hard one. It ends
after :data:`MOST_WORK`, always at the same place, with the best set so far, and never with less than the largest
coupons of all groups take together; so no coupon alone takes more.
"""

from collections.abc import Sequence
from datetime import datetime

from .bill import UNLIMITED, WHOLE, Bill, Candidate, Why
from .spreading import spread
from .stacking import EXCLUSIVE, PricedSet, price_set, turn
from .taking import HALF, look, take

Choice = tuple[int, int, int]
"""What a coupon takes off alone, its rate, and the mask of its lines: all that matters to the sum."""

Level = list[tuple[Choice, Candidate]]
"""The choices of one stack group, the one that takes most alone first."""

Chosen = tuple[int, tuple[Candidate, ...]]
"""What is taken off together, and by which coupons."""


def merit(chosen: Chosen) -> tuple[int, int, list[datetime], list[int]]:
    """The least is the best: most fen, fewest coupons, the earliest dates (first, second …), the lowest ids."""
    fen, coupons = chosen
    return -fen, len(coupons), sorted([c[2] for c in coupons]), sorted([c[0] for c in coupons])


def choose(candidates: Sequence[Candidate], bill: Bill) -> tuple[int, tuple[Candidate, ...]]:
    """The fen that the best set takes off, goods and shipping, and its coupons in the order in which they apply.

    The best takes most off; on a tie it has fewer coupons, then the one that expires first (then the second to
    expire …), then the lowest ids. Coupons that do not fit the bill are passed over; if none takes anything
    off, the set is empty.
    """
    groups: dict[str, dict[Choice, Candidate]] = {}
    for candidate in candidates:
        coupon, terms, valid_until = candidate
        mask, answer = look(terms, bill)
        if not answer or isinstance(answer, Why):
            continue
        group = groups.get(terms.group)
        if group is None:
            group = groups[terms.group] = {}
        # What behaves alike on this bill is one choice: the coupon that expires first.
        choice = (answer, terms.rate, mask)
        rival = group.get(choice)
        if rival is None or (valid_until, coupon) < (rival[2], rival[0]):
            group[choice] = candidate
    alone: list[Chosen] = [(choice[0], (c,)) for choice, c in groups.pop(EXCLUSIVE, {}).items()]
    best = _together([_best_of(levels, bill) for levels in _apart(list(groups.values()))])
    return min([best, *alone], key=merit) if alone else best


def best_set(candidates: Sequence[Candidate], bill: Bill) -> PricedSet:
    """The set that :func:`choose` names, priced. Empty if nothing is taken off."""
    priced = price_set(choose(candidates, bill)[1], bill)
    assert isinstance(priced, PricedSet)
    return priced


def _together(bests: Sequence[Chosen]) -> Chosen:
    coupons = [c for _, chosen in bests for c in chosen]
    coupons.sort(key=lambda c: turn(c.terms))
    return sum([fen for fen, _ in bests]), tuple(coupons)


def _apart(groups: list[dict[Choice, Candidate]]) -> list[list[Level]]:
    """Groups that share lines, even by way of others, together."""
    parts: list[tuple[int, list[Level]]] = []
    for group in groups:
        level = sorted(group.items(), reverse=True)
        lines = 0
        for choice in group:
            lines |= choice[2]
        near = [part for part in parts if part[0] & lines]
        parts = [part for part in parts if not part[0] & lines]
        together = [level]
        for mask, others in near:
            lines |= mask
            together += others
        parts.append((lines, together))
    return [part for _, part in parts]


def _best_of(levels: list[Level], bill: Bill) -> Chosen:
    if len(levels) == 1:
        most = levels[0][0][0][0]
        _, _, candidate = min([(c[2], c[0], c) for choice, c in levels[0] if choice[0] == most])
        return most, (candidate,)
    return _Search(levels, bill).run()


def _strongest(choices: list[Choice]) -> list[Choice]:
    """Without those that another, at no lower a rate from no fewer lines, always equals: enough to bound a sum."""
    strongest: list[Choice] = []
    for choice in choices:
        _, rate, mask = choice
        for _, other_rate, other_mask in strongest:
            if rate <= other_rate and not mask & ~other_mask:
                break
        else:
            strongest.append(choice)
    return strongest


#: Sums looked at in one search: about a fifth of a second. Six groups of ten coupons whose scopes are drawn by lot need
#: a tenth of it; six groups of forty such reach it.
MOST_WORK = 1_000_000
#: Up to these the search goes on to its end, and needs at worst about as long.
EXACT_GROUPS, EXACT_COUPONS = 4, 200


class _Search:
    """Group by group in the order in which they apply, the largest coupon first."""

    def __init__(self, levels: list[Level], bill: Bill) -> None:
        levels.sort(key=lambda level: turn(level[0][1].terms))
        self.levels = levels
        self.choices = [_strongest([choice for choice, _ in level]) for level in levels]
        self.bill = bill
        self.best: Chosen = (0, ())
        self.path: list[Candidate] = []
        # What is left per line, after each level; None until a spread is needed.
        self.left: list[list[int] | None] = [bill.full_fens, *([None] * len(levels))]
        self.taken: list[tuple[int, int] | None] = [None] * len(levels)
        self.effects: dict[tuple[int, int], tuple[list[int], list[tuple[int, list[int]]], int]] = {}
        self.work = 0
        within = len(levels) <= EXACT_GROUPS and sum(map(len, levels)) <= EXACT_COUPONS
        self.most_work = UNLIMITED if within else MOST_WORK
        # Sets of lines whose sums matter from each level on; the last of them holds all that these levels can reach.
        self.masks: list[list[int]] = []
        self.rest_fen = [0]
        self.dates: list[list[datetime]] = [[]]
        masks: set[int] = set()
        union = 0
        for level in reversed(levels):
            for choice, _ in level:
                masks.add(choice[2])
                union |= choice[2]
            masks.discard(union)
            self.masks.append([*masks, union])
            masks.add(union)
            self.rest_fen.append(self.rest_fen[-1] + level[0][0][0])
            self.dates.append(sorted([*self.dates[-1], min([c[2] for _, c in level])]))
        self.masks.reverse()
        self.rest_fen.reverse()
        self.dates.reverse()

    def run(self) -> Chosen:
        sum_fen = self.bill.sum_fen
        self._step(0, 0, {mask: sum_fen(mask) for mask in self.masks[0]})
        if self.work > self.most_work:
            return min(self.best, self._largest(), key=merit)
        return self.best

    def _largest(self) -> Chosen:
        """The largest coupon of each group that still takes something."""
        left = self.bill.full_fens[:]
        coupons = []
        for level in self.levels:
            (_, _, mask), candidate = level[0]
            where = self.bill.places(mask)[0]
            weights = [left[i] for i in where]
            fen = take(candidate.terms, sum(weights))
            if fen:
                coupons.append(candidate)
                for i, part in zip(where, spread(fen, weights), strict=True):
                    left[i] -= part
        return sum(self.bill.full_fens) - sum(left), tuple(coupons)

    def _step(self, depth: int, fen: int, sums: dict[int, int]) -> None:
        """Tries every choice of this level, and none of them, on what the path before it has left."""
        rest = self.rest_fen[depth + 1]
        last = depth + 1 == len(self.levels)
        path = self.path
        for choice, candidate in self.levels[depth]:
            alone, rate, mask = choice
            if fen + alone + rest < self.best[0]:
                break
            if self.work > self.most_work:
                return
            take = (sums[mask] * rate + HALF) // WHOLE
            if take > alone:
                take = alone
            now = fen + take
            if not take or now + rest < self.best[0]:
                continue
            path.append(candidate)
            if now > self.best[0] or (now == self.best[0] and self._first(now)):
                self.best = (now, tuple(path))
            if not last:
                self.taken[depth] = (mask, take)
                self.left[depth + 1] = None
                whole, cut, cut_lines = self._effect(depth, mask)
                after = sums.copy()
                self.work += len(after)
                for other in whole:
                    after[other] -= take
                worthwhile = self._worthwhile(depth + 1, now, after)
                if worthwhile and cut:
                    # Lines are looked at only here, where a set of lines is cut in two and the branch may still win.
                    parts = self._parts(depth, mask, take)
                    self.work += cut_lines
                    for other, places in cut:
                        after[other] -= sum([parts[place] for place in places])
                    worthwhile = self._worthwhile(depth + 1, now, after)
                if worthwhile:
                    self._step(depth + 1, now, after)
            path.pop()
        if not last and self.work <= self.most_work:
            self.taken[depth] = None
            self.left[depth + 1] = None
            if self._worthwhile(depth + 1, fen, sums):
                self._step(depth + 1, fen, sums)

    def _first(self, fen: int) -> bool:
        """Whether the path, which takes as much off as the best, is to be preferred."""
        here, there = len(self.path), len(self.best[1])
        return here < there or (here == there and merit((fen, tuple(self.path))) < merit(self.best))

    def _worthwhile(self, depth: int, fen: int, sums: dict[int, int]) -> bool:
        """Whether a set that begins with the path can still be the best."""
        best = self.best[0]
        if fen + self.rest_fen[depth] < best:
            return False
        bound = fen
        left = sums[self.masks[depth][-1]]
        takes = []
        for choices in self.choices[depth:]:
            self.work += 5
            most = free = 0
            for alone, rate, mask in choices:
                if alone <= most:
                    break
                within = sums[mask]
                take = (within * rate + HALF) // WHOLE
                if take > alone:
                    take = alone
                if take > free:
                    free = take
                if within > left:
                    take = (left * rate + HALF) // WHOLE
                    if take > alone:
                        take = alone
                if take > most:
                    most = take
            takes.append(free)
            left -= most
            bound += most
        if bound != best:
            return bound > best
        # It can only draw level: with how few more coupons, and with which dates at the earliest?
        more = 0
        missing = best - fen
        for take in sorted(takes, reverse=True):
            if missing <= 0:
                break
            missing -= take
            more += 1
        count = len(self.path) + more
        if missing > 0 or count != len(self.best[1]):
            return missing <= 0 and count < len(self.best[1])
        dates = sorted([*[c[2] for c in self.path], *self.dates[depth][:more]])
        return dates <= sorted([c[2] for c in self.best[1]])

    def _effect(self, depth: int, mask: int) -> tuple[list[int], list[tuple[int, list[int]]], int]:
        """Of the sets that matter later, those with all lines of the mask; those with some, and with which of them;
        how many lines these are in all.
        """
        effect = self.effects.get((depth, mask))
        if effect is None:
            later = self.masks[depth + 1]
            where = self.bill.places(mask)[0]
            cut = [
                (other, [place for place, i in enumerate(where) if other >> i & 1])
                for other in later
                if mask & other and mask & ~other
            ]
            effect = self.effects[depth, mask] = (
                [other for other in later if not mask & ~other],
                cut,
                sum([len(places) for _, places in cut]),
            )
            self.work += len(later) + len(cut) * len(where)
        return effect

    def _parts(self, depth: int, mask: int, take: int) -> list[int]:
        """What a choice of this level takes off each of its lines."""
        left = self._left(depth)
        return spread(take, [left[i] for i in self.bill.places(mask)[0]])

    def _left(self, depth: int) -> list[int]:
        """What the path has left of each line when this level begins."""
        known = depth
        while self.left[known] is None:
            known -= 1
        left = self.left[known]
        assert left is not None  # that of the first level is the bill
        for level in range(known, depth):
            taken = self.taken[level]
            if taken is not None:
                mask, take = taken
                where = self.bill.places(mask)[0]
                parts = spread(take, [left[i] for i in where])
                left = left[:]
                for i, part in zip(where, parts, strict=True):
                    left[i] -= part
            self.left[level + 1] = left
        return left
