"""A sum over lines, in proportion, to the fen."""

from collections.abc import Sequence


def spread(fen: int, weights: Sequence[int]) -> list[int]:
    """Parts of ``fen`` in proportion to the weights, by largest remainder, the earlier line first on a tie.

    With ``0 <= fen <= sum(weights)`` no part is negative or above its weight: a line is rounded up only where its exact
    part is not whole, and then one more still fits.
    """
    whole = sum(weights)
    if fen == whole:
        return list(weights)
    if fen == 0:
        return [0] * len(weights)
    shares = [fen * weight for weight in weights]
    parts = [share // whole for share in shares]
    missing = fen - sum(parts)
    if missing:
        remainders = [share % whole for share in shares]
        # sorted() keeps the order of equals, in reverse too: the earlier line comes first
        for i in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:missing]:
            parts[i] += 1
    return parts
