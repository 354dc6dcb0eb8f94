"""Lists of hosts that may be reached: a host that one of them lacks is refused unasked.

In: the host of an address, or of what it redirects to. Out: nothing, or a FetchError that names
the list. Also what a host's own writing says of where it is: this machine, or a private network.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from llmops.diagnostics import printable
from llmops.errors import FetchError


@dataclass(frozen=True, slots=True)
class Egress:
    """The hosts that may be reached, and whose list it is; `*.name` means every host below it."""

    of: str
    hosts: tuple[str, ...]

    def allows(self, host: str) -> bool:
        """Whether the list has the host."""
        return any(
            host.endswith(known[1:]) if known.startswith("*.") else host == known
            for known in self.hosts
        )


def check_egress(host: str, egress: tuple[Egress, ...]) -> None:
    """Refuse a host that some list lacks."""
    for one in egress:
        if not one.allows(host):
            raise FetchError(
                f"{printable(host)} is not on the egress list of {one.of}",
                hint="add it to spec.egress there and merge that first, or put the content into a"
                " folder of LLMOPS_MIRROR",
            )


def is_loopback(host: str) -> bool:
    """Whether a host, as it is written, is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_near(host: str) -> bool:
    """Whether a host, as it is written, is this machine or an address of a private network.

    A name may lead anywhere, so no name but `localhost` is near.
    """
    if is_loopback(host):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not (address.is_link_local or address.is_unspecified)
