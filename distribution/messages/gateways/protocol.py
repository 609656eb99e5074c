from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Letter(NamedTuple):
    """What a provider is handed. ``to``: a phone number as ``+8613800138000``, or a customer's key.

    ``template``: the number under which the provider knows the wording; ``variables`` in the order of the wording;
    ``reference``: ours, for the provider's reports.
    """

    channel: str
    to: str
    title: str
    text: str
    template: str
    variables: Sequence[tuple[str, str]]
    reference: str


class Declined(Exception):
    """The provider said no and has not taken it. ``again``: it may say yes later."""

    def __init__(self, code: str, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.code = code
        self.again = again


class Gateway(Protocol):
    name: str

    def send(self, letter: Letter) -> str:
        """The provider's receipt.

        :raises Declined: it was surely not taken.
        :raises coupons.calling.Unreachable: no usable answer; ``sent``: it may have been taken.
        """
        ...
