"""The moves of a coupon. These modules alone write a coupon's status, and the event with it."""
