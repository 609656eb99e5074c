"""The best set of a wallet: the computing alone, against its limit in milliseconds."""

import statistics
from time import process_time

from redemption.pricing import Bill, best_set
from tests.properties.test_pricing_bound import crossing

#: 50 usable coupons in four stack groups whose scopes cut across each other; the worst kind of wallet.
LIMIT_MS = 5.0
GROUPS, COUPONS, LINES, WALLETS = 4, 50, 20, 30


def measure() -> tuple[float, float]:
    """Milliseconds of CPU: the median wallet's, and the worst one's."""
    found = []
    for seed in range(WALLETS):
        wallet, bill = crossing(GROUPS, COUPONS // GROUPS + 1, LINES, seed)
        begun = process_time()
        best_set(wallet[:COUPONS], Bill(bill.lines, bill.shipping_fen))
        found.append((process_time() - begun) * 1000)
    return statistics.median(found), max(found)
