"""A part of a line comes back."""


def rollback_parts(
    discount_fen: int, merchant_fen: int, quantity: int, returned_before: int, returned_now: int
) -> tuple[int, int]:
    """What a coupon gives back on a line of which ``returned_now`` pieces come back: platform's fen, merchant's fen.

    ``discount_fen`` is all that the coupon took off the line at first, ``merchant_fen`` the merchant's share of it;
    ``quantity`` is the line's, ``returned_before`` counts the pieces that came back earlier. Each side is
    the difference of two cumulative sums, so steps of any size and order add up to the whole.

    :raises ValueError: more comes back than was bought.
    """
    if returned_before < 0 or returned_now < 0 or returned_before + returned_now > quantity:
        raise ValueError("more comes back than was bought")

    def up_to(returned: int) -> tuple[int, int]:
        back = discount_fen * returned // quantity
        # Of what is back by now, not of the pieces: two floors side by side could make the platform's sum fall.
        # Half up to the merchant's side, as the shares were split at first.
        merchant = (2 * merchant_fen * back + discount_fen) // (2 * discount_fen) if discount_fen else 0
        return back - merchant, merchant

    platform_before, merchant_before = up_to(returned_before)
    platform, merchant = up_to(returned_before + returned_now)
    return platform - platform_before, merchant - merchant_before
