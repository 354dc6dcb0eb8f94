"""Who we are to GitHub: a token from the environment, or an App's key that makes short-lived ones.

In: environment variables, or an App's id and private key. Out: a `wire.Token`, who it writes as
(`login`, `app_id`: how the sticky comment and the check are known to be ours), and the repository.
No secret is in a repr, an error or a log.
Standards: RFC 7519 (JWT), GitHub's "Authenticating as a GitHub App installation".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from llmops.errors import UsageError
from llmops.forge.base import Clock, ForgeError, Refused, Repo
from llmops.forge.clock import SystemClock, read
from llmops.forge.wire import API_URL, Pace, Wire, home_of

VARIABLES = ("LLMOPS_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
ACTIONS_APP = 15368  # github-actions, who a workflow's GITHUB_TOKEN writes as on github.com
ACTIONS_LOGIN = "github-actions[bot]"
_EARLY = timedelta(minutes=5)  # a token is renewed so long before its end
_JWT_SECONDS = 540  # GitHub takes ten minutes at the most
_SKEW = timedelta(seconds=30)  # a clock that is off by more is told
_YOUNG_SECONDS = 60.0  # a token of that age which GitHub does not know is not made anew
_BACK_SECONDS = 60  # our clock may be ahead of GitHub's by so much
_ORIGIN = re.compile(
    r"(?:(?:https?|ssh|git)://[^/]+/|[^@/:]+@[^/:]+:)(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A token that somebody gave. `login` and `app_id`: who it writes as, where that is known."""

    _secret: str = field(repr=False)
    login: str = ""
    app_id: int | None = None

    def __post_init__(self) -> None:
        if not self._secret or not self._secret.isascii() or not self._secret.isprintable():
            raise _no_token("the GitHub token is empty or has characters that no token has")

    def value(self) -> str:
        """The secret."""
        return self._secret

    def renew(self) -> bool:
        """A given token cannot be renewed."""
        return False

    def is_installation(self) -> bool:
        """Whether an App's installation has it: such a token has no `/user`."""
        return _is_installation(self._secret)


def from_environment(environ: Mapping[str, str] | None = None) -> Fixed:
    """The token of the first variable that is set. Raises UsageError: there is none."""
    known = os.environ if environ is None else environ
    for name in VARIABLES:
        secret = known.get(name, "").strip()
        if secret and _is_actions(known, secret):
            return Fixed(secret, ACTIONS_LOGIN, _actions_app(known))
        if secret:
            return Fixed(secret)
    raise _no_token("there is no GitHub token")


def repository(environ: Mapping[str, str], origin: str = "") -> Repo:
    """The repository of GITHUB_REPOSITORY, else of the origin's URL. Raises UsageError."""
    named = environ.get("GITHUB_REPOSITORY", "").strip()
    if named:
        return Repo.parse(named)
    found = _ORIGIN.fullmatch(origin.strip())
    if found is None:
        raise UsageError(
            "which repository on GitHub is not known",
            hint="set GITHUB_REPOSITORY to owner/name, or give the clone an origin there",
        )
    return Repo.parse(f"{found['owner']}/{found['name']}")


class AppKey:
    """An App's id and private key: signs the JWTs that installation tokens are had with."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        *,
        api_url: str = "",
        clock: Clock | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self.app_id = app_id
        self.clock: Clock = clock or SystemClock()
        self._key = _loaded(private_key)
        self._seen = timedelta(0)
        sends = adapter or HTTPAdapter(max_retries=0)
        self._wire = Wire(sends, home_of(api_url), self, Pace(self.clock))

    def __repr__(self) -> str:
        return f"AppKey({self.app_id}, ***)"

    def value(self) -> str:
        """A JWT by GitHub's clock, as far as its answers told, valid for nine minutes."""
        import jwt

        now = int(self._wire.pace.server_now().timestamp()) - _BACK_SECONDS
        claims = {"iat": now, "exp": now + _JWT_SECONDS, "iss": str(self.app_id)}
        return jwt.encode(claims, self._key, algorithm="RS256")

    def renew(self) -> bool:
        """Whether GitHub's clock, told by its refusal, is another than the one we signed by."""
        seen, self._seen = self._seen, self._wire.pace.skew
        return abs(self._seen - seen) > _SKEW

    def about(self, path: str = "app") -> Any:
        """JSON of what the App itself may read: `app`, `app/hook/config`, an installation."""
        return self._asked("GET", path)

    def login(self) -> str:
        """Who the App writes as: `slug[bot]`."""
        return f"{self.about()['slug']}[bot]"

    def installation(self, repo: Repo) -> int:
        """The App's installation that has a repository. Raises Refused: it is not installed."""
        try:
            return int(self._asked("GET", f"repos/{repo}/installation")["id"])
        except Refused as refusal:
            if refusal.status != 404:
                raise
            raise Refused(
                f"the App {self.app_id} is not installed on {repo}",
                hint="install it there: the App's page, Install App",
                status=404,
            ) from None

    def token(self, installation: int) -> tuple[str, datetime]:
        """A new token of an installation, and when it ends."""
        answer = self._asked("POST", f"app/installations/{installation}/access_tokens", {})
        ends = read(str(answer.get("expires_at") or ""))
        if not answer.get("token") or ends is None:
            raise ForgeError("github answers no installation token")
        return str(answer["token"]), ends

    def server_now(self) -> datetime:
        """The time by GitHub's clock."""
        return self._wire.pace.server_now()

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.auth = _unsigned
            for scheme in ("https://", "http://"):
                session.mount(scheme, self._wire)
            try:
                return session.request(method, f"{self._wire.home}/{path}", json=body).json()
            except Refused as refusal:
                raise self._explained(refusal) from None

    def _explained(self, refusal: Refused) -> Refused:
        if refusal.status != 401:
            return refusal
        skew = self._wire.pace.skew
        if abs(skew) > _SKEW:
            way = "behind" if skew > timedelta(0) else "ahead of"
            return Refused(
                f"github does not take the App's signature: this clock is {_span(skew)} {way} its",
                hint="set the clock of this machine (NTP)",
                status=401,
            )
        return Refused(
            f"github does not take the signature of App {self.app_id}",
            hint="the private key must be one of this App's: the App's page, Private keys",
            status=401,
        )


class Installation:
    """A token of an App's installation: made when it is first needed, renewed before its end."""

    def __init__(self, key: AppKey, installation: int) -> None:
        self._key = key
        self._installation = installation
        self._token = ""
        self._ends = datetime.min.replace(tzinfo=UTC)
        self._made = 0.0
        self.app_id = key.app_id
        self._login = ""

    def __repr__(self) -> str:
        return f"Installation({self._installation} of {self._key!r})"

    @property
    def login(self) -> str:
        """Who it writes as; asked once."""
        self._login = self._login or self._key.login()
        return self._login

    def value(self) -> str:
        """The token, at least five minutes before its end by GitHub's clock."""
        if not self._token or self._ends - self._key.server_now() < _EARLY:
            self._token, self._ends = self._key.token(self._installation)
            self._made = self._key.clock.monotonic()
        return self._token

    def renew(self) -> bool:
        """Forget a token that GitHub does not know any longer."""
        if self._key.clock.monotonic() - self._made < _YOUNG_SECONDS:
            return False
        self._token = ""
        return True


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials of a .netrc: the wire signs."""
    return request


def _loaded(private_key: str) -> Any:
    """The key of a PEM text. Raises UsageError, which shows nothing of it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise UsageError(
            "the App's private key is no RSA key in PEM form",
            hint="give the whole file that GitHub made, with its BEGIN and END lines",
        )
    return key


def _is_actions(environ: Mapping[str, str], secret: str) -> bool:
    """Whether a secret is the token that a workflow's runner made."""
    own = environ.get("GITHUB_ACTIONS") == "true"
    return own and secret == environ.get("GITHUB_TOKEN", "").strip() and _is_installation(secret)


def _is_installation(secret: str) -> bool:
    """Tokens of an App's installation begin so, a workflow's too."""
    return secret.startswith("ghs_")


def _actions_app(environ: Mapping[str, str]) -> int | None:
    """The id of github-actions: known on github.com, each server's own elsewhere."""
    return ACTIONS_APP if environ.get("GITHUB_API_URL", API_URL) == API_URL else None


def _span(skew: timedelta) -> str:
    seconds = abs(skew.total_seconds())
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= size - 30:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} seconds"


def _no_token(message: str) -> UsageError:
    return UsageError(
        message,
        hint=f"set {VARIABLES[0]} (or {', '.join(VARIABLES[1:])}); in a workflow: "
        "`env: GITHUB_TOKEN: ${{ github.token }}` with `permissions: checks: write`",
    )
