"""A token or a JWT -> who asks. Raises what GitHub answers where it is not good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github.state import Caller, test_key
from tests.github.wire import Refusal, Request

if TYPE_CHECKING:
    from tests.github.server import FakeGitHub


def who_is(fake: FakeGitHub, request: Request) -> Caller:
    """The holder of a request's token; nobody where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not token:
        if request.writes:
            raise Refusal(401, "Requires authentication")
        return Caller("")
    if scheme.lower() not in ("bearer", "token"):
        raise Refusal(401, "Bad credentials")
    if token.count(".") == 2:
        return _app(fake, token)
    who = fake.tokens.get(token)
    if who is None or (who.expires_at and fake.clock.true_now() >= who.expires_at):
        raise Refusal(401, "Bad credentials")
    return who


def _app(fake: FakeGitHub, token: str) -> Caller:
    import jwt

    now = fake.clock.true_now().timestamp()
    try:
        claims = jwt.decode(
            token, test_key()[1], algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )  # fmt: skip
        issued, expires = int(claims["iat"]), int(claims["exp"])
        app = fake.apps[int(claims["iss"])]
    except (jwt.InvalidTokenError, KeyError, ValueError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    if issued > now:
        raise Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time "
                      "that the assertion was issued")  # fmt: skip
    if expires <= now or expires > now + 600:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return Caller(app.bot, app, app.permissions, is_app=True, token=token)
