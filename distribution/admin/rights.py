"""What beside add, change, delete and view these pages ask for."""

SEES_BUDGETS = "coupons.view_budget"
SETS_BUDGETS = "coupons.change_budget"
APPROVES = "coupons.approve_coupontemplate"
DOWNLOADS_CODES = "distribution.download_codebatch"
CHANGES = "distribution.change_placement"
#: What a document may make or change.
IMPORTS = (
    "distribution.add_campaign",
    "distribution.change_campaign",
    "distribution.add_placement",
    "distribution.change_placement",
    "coupons.add_coupontemplate",
    "coupons.change_coupontemplate",
    "coupons.change_audience",
    SETS_BUDGETS,
)
