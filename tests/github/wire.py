"""What goes over the wire: a request as the fake sees it, an answer, pages of a list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from tests.github.repository import FakeRepository
    from tests.github.server import FakeGitHub
    from tests.github.state import Caller

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Request:
    """A request: `path` is decoded and relative to the API's root, without a slash in front."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = 0.0  # the clock's monotonic seconds at arrival

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
        parts = urlsplit(url)
        named = {name.lower(): value for name, value in headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method.upper(), unquote(parts.path).strip("/"), query, named, body)

    @property
    def json(self) -> Any:
        """The body, None where there is none. Raises ValueError where it is no JSON."""
        made = json.loads(self.body) if self.body.strip() else None
        json.dumps(made, ensure_ascii=False).encode()  # half a character is none: a ValueError
        return made

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


@dataclass
class Answer:
    """What comes back. `body` is JSON unless it is bytes; None is an empty body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    struck: bool = False  # a fault's, not GitHub's own

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False).encode()


class Refusal(Exception):
    """Raised by whatever serves a request: an answer that is an error."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        headers = more.pop("headers", {})
        about = {"documentation_url": DOCS, "status": str(status)} | more
        self.answer = Answer(status, {"message": message, **about}, dict(headers))


def invalid(resource: str, field_name: str, message: str, code: str = "custom") -> Refusal:
    """A 422, as GitHub words it."""
    error = {"resource": resource, "field": field_name, "code": code, "message": message}
    return Refusal(422, f"Invalid request.\n\n{message}", errors=[error])


def missing(what: str = "Not Found") -> Refusal:
    return Refusal(404, what)


@dataclass
class Call:
    """A request that found its route."""

    fake: FakeGitHub
    request: Request
    who: Caller
    args: Mapping[str, str]
    repo: FakeRepository | None = None

    @property
    def here(self) -> FakeRepository:
        assert self.repo is not None
        return self.repo

    @property
    def body(self) -> dict[str, Any]:
        try:
            body = self.request.json
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None
        if body is not None and not isinstance(body, dict):
            raise Refusal(400, "Body should be a JSON object")
        return body or {}

    def asked(self, name: str, default: str = "") -> str:
        return self.request.query.get(name, default)

    def number(self, name: str) -> int:
        """A path's number; 404 where it is none."""
        if not self.args[name].isdigit():
            raise missing()
        return int(self.args[name])


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One operation, `path` as GitHub's OpenAPI description has it.

    `needs`: permission and level of an App's token (`checks:write`), "" where any token will do,
    "app" where the App itself must ask (with a JWT).
    """

    method: str
    path: str
    needs: str
    handler: Handler
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = re.split(r"(\{\w+\})", self.path)
        wide = ("{path}", "{ref}", "{branch}", "{basehead}")
        regex = "".join(
            f"(?P<{part[1:-1]}>{'.+' if part in wide else '[^/]+'})"
            if part.startswith("{")
            else re.escape(part)
            for part in parts
        )
        object.__setattr__(self, "pattern", re.compile(regex))


def precedence(pattern: re.Pattern[str], template: str) -> tuple[bool, int, int]:
    """Which of two templates that match is meant: the one that leaves less open."""
    return ".+" in pattern.pattern, template.count("{"), -len(template)


def page(call: Call, items: Sequence[Any], key: str = "", **beside: Any) -> Answer:
    """One page of a list, with the Link header; `key` where GitHub wraps it and counts."""
    size = min(100, max(1, _whole(call.asked("per_page"), 30)))
    at = max(1, _whole(call.asked("page"), 1))
    last = max(1, -(-len(items) // size))
    part = list(items[(at - 1) * size : at * size])
    answer = Answer(body={"total_count": len(items), key: part, **beside} if key else part)
    links = {"prev": at - 1, "next": at + 1, "first": 1, "last": last}
    shown = {rel: n for rel, n in links.items() if 1 <= n <= last and n != at}
    if last > 1 and shown:
        base = call.fake.url(call.request.path)
        answer.headers["Link"] = ", ".join(
            f'<{base}?{urlencode({**call.request.query, "page": str(n)})}>; rel="{rel}"'
            for rel, n in shown.items()
        )
    return answer


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default
