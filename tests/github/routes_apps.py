"""An App about itself: its installations, tokens by JWT, deliveries; and the rate limit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.github import shapes
from tests.github.state import LEVELS, App, Caller
from tests.github.wire import Answer, Call, Refusal, Route, missing, page


def _app_of(call: Call) -> App:
    assert call.who.app is not None
    return call.who.app


def _app(call: Call) -> Answer:
    app = _app_of(call)
    counts = {"installations_count": len(app.installations)}
    return Answer(body=shapes.app(call.fake, app) | counts)


def _shown(call: Call, app: App, owner: str, number: int) -> dict[str, Any]:
    person = call.fake.person(owner)
    base = call.fake.url(f"app/installations/{number}")
    kind = "Organization" if owner in call.fake.organizations else "User"
    return {
        "id": number, "account": shapes.user(call.fake, person), "app_id": app.id,
        "app_slug": app.slug, "target_id": person.id, "target_type": kind,
        "repository_selection": "all", "access_tokens_url": f"{base}/access_tokens",
        "repositories_url": call.fake.url("installation/repositories"),
        "html_url": f"https://github.com/organizations/{owner}/settings/installations/{number}",
        "permissions": dict(app.permissions), "events": list(app.events),
        "created_at": call.fake.began, "updated_at": call.fake.began, "single_file_name": None,
        "suspended_by": None, "suspended_at": None,
    }  # fmt: skip


def _installations(call: Call) -> Answer:
    app = _app_of(call)
    return page(call, [_shown(call, app, o, n) for o, n in app.installations.items()])


def _installation(call: Call) -> Answer:
    app = _app_of(call)
    number = app.installations.get(call.here.owner)
    if number is None:
        raise missing()
    return Answer(body=_shown(call, app, call.here.owner, number))


def _token(call: Call) -> Answer:
    app, number = _app_of(call), call.number("installation_id")
    owner = next((o for o, n in app.installations.items() if n == number), None)
    if owner is None:
        raise missing()
    asked = call.body.get("permissions") or dict(app.permissions)
    for name, level in asked.items():
        if LEVELS.index(level) > LEVELS.index(app.permissions.get(name, "none")):
            raise Refusal(422, "The permissions requested are not granted to this installation.")
    names = call.body.get("repositories") or []
    unknown = [n for n in names if f"{owner}/{n}" not in call.fake.repositories]
    if unknown:
        raise Refusal(422, "There is at least one repository that does not exist or is not "
                      "accessible to the parent installation.")  # fmt: skip
    only = f"{owner}/{names[0]}" if len(names) == 1 else ""
    who = Caller(app.bot, app, {"metadata": "read", **asked}, only, owner)
    token = call.fake.admit(who, "ghs_", hours=1)
    expires = call.fake.stamp(call.fake.clock.true_now() + timedelta(hours=1))
    selection = "selected" if names else "all"
    body = {"token": token, "expires_at": expires, "permissions": asked}
    return Answer(201, body | {"repository_selection": selection})


def _repositories(call: Call) -> Answer:
    if call.who.app is None or call.who.is_app:
        raise Refusal(403, "Resource not accessible by personal access token")
    chosen = [
        shapes.repository(r)
        for r in call.fake.repositories.values()
        if r.owner == call.who.owner and call.who.repository in ("", r.full_name)
    ]
    return page(call, chosen, "repositories", repository_selection="all")


def _hook(call: Call) -> Answer:
    told = {"content_type": "json", "insecure_ssl": "0", "secret": "********"}
    return Answer(body={**told, "url": "https://gate.example.org/webhook", **_app_of(call).hook})


def _deliveries(call: Call) -> Answer:
    return page(call, [
        {
            "id": number, "guid": delivery.id, "delivered_at": call.fake.stamp(),
            "redelivery": False, "duration": 0.1, "status": "OK" if code < 300 else "failed",
            "status_code": code, "event": delivery.event, "installation_id": None,
            "action": delivery.payload.get("action"), "repository_id": None,
        }
        for number, (delivery, code) in reversed(list(enumerate(call.fake.hooks.sent, 1)))
    ])  # fmt: skip


def _redeliver(call: Call) -> Answer:
    number = call.number("delivery_id")
    if not 1 <= number <= len(call.fake.hooks.sent):
        raise missing()
    call.fake.hooks.pending.append(call.fake.hooks.sent[number - 1][0])
    return Answer(202, {})


def _limit(call: Call) -> Answer:
    now = call.fake.clock.true_now().timestamp()
    told = call.fake.limits.headers(call.who.token, now)
    core = {
        name: int(told[f"X-RateLimit-{name.title()}"])
        for name in ("limit", "remaining", "used", "reset")
    }
    return Answer(body={"resources": {"core": core, "search": core}, "rate": core})


def _graphql(call: Call) -> Answer:
    """The one question of GraphQL that is asked: whose token is this?"""
    if "viewer" not in str(call.body.get("query")):
        raise Refusal(400, "this fake knows `viewer { login }` only")
    return Answer(body={"data": {"viewer": {"login": call.who.login}}})


ROUTES = (
    Route("POST", "graphql", "", _graphql),
    Route("GET", "app", "app", _app),
    Route("GET", "app/installations", "app", _installations),
    Route("POST", "app/installations/{installation_id}/access_tokens", "app", _token),
    Route("GET", "repos/{owner}/{repo}/installation", "app", _installation),
    Route("GET", "app/hook/config", "app", _hook),
    Route("GET", "app/hook/deliveries", "app", _deliveries),
    Route("POST", "app/hook/deliveries/{delivery_id}/attempts", "app", _redeliver),
    Route("GET", "installation/repositories", "", _repositories),
    Route("GET", "rate_limit", "", _limit),
)
