"""One http(s) URL -> chunks of bytes, never from an address that is not public. Wet.

Every connection, redirects included, is opened to an address that was resolved once and checked:
a URL of a pull request cannot reach loopback, private, link-local or metadata addresses, however
its name resolves the next time. Hosts that the caller allows, and the proxy of the environment,
are exempt. Only `fetch` uses this.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llmops.diagnostics import printable
from llmops.errors import FetchError
from llmops.source.egress import Egress, check_egress

CHUNK = 1024 * 1024
_REDIRECTS = 5
_TO_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # NAT64: any IPv4 address, private ones too


class TransientError(FetchError):
    """The server or the way to it failed; another try may succeed."""


@dataclass(frozen=True, slots=True)
class Download:
    """How to reach hosts: exempt host names, seconds of silence allowed, most bytes, egress."""

    allow_hosts: frozenset[str] = frozenset()
    timeout_s: float = 30.0
    max_bytes: int = 64 * 1024**3
    egress: tuple[Egress, ...] = ()

    @contextmanager
    def chunks(self, uri: str) -> Iterator[Iterator[bytes]]:
        """The body in pieces. Raises FetchError; TransientError where a new try may help."""
        opener = self._opener()
        try:
            with opener.open(_request(uri), timeout=self.timeout_s) as answer:
                yield self._pieces(uri, answer)
        except urllib.error.HTTPError as error:
            raise _refused(uri, error) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, FetchError):
                raise error.reason from error
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise TransientError(f"{shown(uri)} cannot be reached: {reason}") from error
        except http.client.InvalidURL as error:
            raise FetchError(f"{shown(uri)} is not a usable address: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(
                f"{shown(uri)} broke off: {error or type(error).__name__}"
            ) from error
        except ValueError as error:
            raise FetchError(f"{shown(uri)} is not a usable address: {error}") from error

    def _pieces(self, uri: str, answer: Any) -> Iterator[bytes]:
        declared = answer.headers.get("Content-Length")
        taken = 0
        while piece := answer.read(CHUNK):
            taken += len(piece)
            if taken > self.max_bytes:
                raise FetchError(f"{shown(uri)} sends more than {self.max_bytes:,} bytes")
            yield piece
        if declared is not None and declared.isdigit() and taken < int(declared):
            raise TransientError(f"{shown(uri)} broke off after {taken:,} of {declared} bytes")

    def _opener(self) -> urllib.request.OpenerDirector:
        proxies = urllib.request.getproxies()
        exempt = self.allow_hosts | {urlsplit(proxy).hostname or "" for proxy in proxies.values()}
        handlers = (_Http(exempt), _Https(exempt), _Redirects(self))
        opener = urllib.request.OpenerDirector()
        for handler in (
            *handlers,
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            opener.add_handler(handler)
        return opener


def check_host(host: str, allowed: frozenset[str]) -> None:
    """Refuse a host written as an address that is not public, unless allowed by name."""
    name = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return  # a name: its addresses are checked when it is connected to
    _check_address(host, address, allowed)


def _check_address(host: str, address: Any, allowed: frozenset[str]) -> None:
    public = address.is_global and not address.is_multicast and address not in _TO_IPV4
    if host not in allowed and not public:
        raise FetchError(
            f"{host} is the address {address}, which is not public",
            hint="put it into LLMOPS_ALLOW_HOSTS if it is meant, or into a mirror folder",
        )


def _connect(allowed: frozenset[str], address: tuple[str, int], timeout: Any, source: Any) -> Any:
    """Connect to an address that was checked, not to a name that may change its mind."""
    host, port = address
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, peer in found:
        _check_address(host, ipaddress.ip_address(str(peer[0]).split("%")[0]), allowed)
    failure: OSError = OSError(f"{host} has no address")
    for *_, peer in found:
        try:
            return socket.create_connection((str(peer[0]), port), timeout, source)
        except OSError as error:
            failure = error
    raise failure


def _checked(connection: Any, allowed: frozenset[str]) -> Any:
    connection._create_connection = lambda address, timeout=None, source=None: _connect(
        allowed, address, timeout, source
    )
    return connection


class _Http(urllib.request.HTTPHandler):
    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__()
        self.allowed = allowed

    def http_open(self, req: urllib.request.Request) -> Any:
        def connection(host: str, **more: Any) -> Any:
            return _checked(http.client.HTTPConnection(host, **more), self.allowed)

        return self.do_open(connection, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__()
        self.allowed = allowed
        self.trust = ssl.create_default_context()

    def https_open(self, req: urllib.request.Request) -> Any:
        def connection(host: str, **more: Any) -> Any:
            made = http.client.HTTPSConnection(host, context=self.trust, **more)
            return _checked(made, self.allowed)

        return self.do_open(connection, req)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Checks the next host; other schemes end there, since the opener has no handler for them."""

    max_redirections = _REDIRECTS

    def __init__(self, download: Download) -> None:
        self.download = download

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        host = split(newurl)[1]
        check_egress(host, self.download.egress)
        check_host(host, self.download.allow_hosts)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _request(uri: str) -> urllib.request.Request:
    return urllib.request.Request(uri, headers={"User-Agent": "llmops", "Accept": "*/*"})


def _refused(uri: str, error: urllib.error.HTTPError) -> FetchError:
    error.close()
    kind = TransientError if error.code >= 500 or error.code == 429 else FetchError
    if 300 <= error.code < 400:
        return FetchError(f"{shown(uri)} redirects in a circle or to what is no web address")
    return kind(f"{shown(uri)} answers {error.code}")


def split(uri: str) -> tuple[str, str]:
    """Scheme and host of an address, empty where it has none. Raises FetchError."""
    try:
        parts = urlsplit(uri)
        return parts.scheme, parts.hostname or ""
    except ValueError as error:
        raise FetchError(f"{printable(uri)} is not a usable address: {error}") from error


def shown(uri: str) -> str:
    """Scheme, host and path: what else an address holds may be a key, and is never shown."""
    scheme, host = split(uri)
    name = f"[{host}]" if ":" in host else host
    return printable(f"{scheme}://{name}{urlsplit(uri).path}" if host else uri)
