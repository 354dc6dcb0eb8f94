"""Users, organisations, teams, collaborators and their permissions."""

from __future__ import annotations

from typing import Any

from tests.github import shapes
from tests.github.state import Organization, Team
from tests.github.wire import Answer, Call, Refusal, Route, missing, page


def _user(call: Call) -> Answer:
    return Answer(body=_whole(call, call.args["username"]))


def _me(call: Call) -> Answer:
    if not call.who.login:
        raise Refusal(401, "Requires authentication")
    if call.who.app is not None:
        raise Refusal(403, "Resource not accessible by integration")
    return Answer(body=_whole(call, call.who.login))


def _whole(call: Call, login: str) -> dict[str, Any]:
    person = call.fake.people.get(login)
    if person is None:
        raise missing()
    books = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    empty = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
    since = {"created_at": call.fake.began, "updated_at": call.fake.began}
    return shapes.user(call.fake, person) | books | empty | since | {"blog": ""}


def _organization(call: Call) -> Organization:
    found = call.fake.organizations.get(call.args["org"])
    if found is None:
        raise missing()
    return found


def _org(call: Call) -> Answer:
    made, base = _organization(call), call.fake.url(f"orgs/{call.args['org']}")
    person = shapes.user(call.fake, call.fake.person(made.login))
    urls = ("repos", "events", "hooks", "issues")
    return Answer(body={
        "login": made.login, "id": person["id"], "node_id": person["node_id"], "url": base,
        **{f"{name}_url": f"{base}/{name}" for name in urls}, "type": "Organization",
        "members_url": f"{base}/members{{/member}}", "avatar_url": person["avatar_url"],
        "public_members_url": f"{base}/public_members{{/member}}", "description": None,
        "html_url": person["html_url"], "has_organization_projects": True, "following": 0,
        "has_repository_projects": True, "public_repos": 0, "public_gists": 0, "followers": 0,
        "created_at": call.fake.began, "updated_at": call.fake.began, "archived_at": None,
        **made.settings,
    })  # fmt: skip


def _member(call: Call) -> Answer:
    return Answer(204 if call.args["username"] in _organization(call).members else 404)


def _membership(call: Call) -> Answer:
    made, login = _organization(call), call.args["username"]
    if login not in made.members:
        raise missing()
    base = call.fake.url(f"orgs/{made.login}")
    org = shapes.user(call.fake, call.fake.person(made.login))
    urls = {f"{name}_url": f"{base}/{name}" for name in ("hooks", "issues", "members")}
    kept = ("login", "id", "node_id", "repos_url", "events_url", "avatar_url")
    short = {k: org[k] for k in kept} | urls | {"url": base, "description": None}
    return Answer(body={
        "url": f"{base}/memberships/{login}", "state": "active", "role": made.members[login],
        "organization_url": base, "user": shapes.user(call.fake, call.fake.person(login)),
        "organization": short | {"public_members_url": f"{base}/public_members"},
    })  # fmt: skip


def _team(call: Call) -> Team:
    found = _organization(call).teams.get(call.args["team_slug"])
    if found is None:
        raise missing()
    return found


def _shown(call: Call, org: str, team: Team) -> dict[str, Any]:
    base = call.fake.url(f"orgs/{org}/teams/{team.slug}")
    return {
        "id": team.id, "node_id": shapes.node("T", team.id), "name": team.slug, "slug": team.slug,
        "description": None, "privacy": "closed", "notification_setting": "notifications_enabled",
        "permission": "pull", "url": base, "members_url": f"{base}/members{{/member}}",
        "html_url": f"https://github.com/orgs/{org}/teams/{team.slug}", "type": "organization",
        "repositories_url": f"{base}/repos", "parent": None,
        "organization_id": call.fake.person(org).id,
    }  # fmt: skip


def _teams(call: Call) -> Answer:
    made = _organization(call)
    return page(call, [_shown(call, made.login, t) for t in made.teams.values()])


def _one_team(call: Call) -> Answer:
    made, team = _organization(call), _team(call)
    org = _org(call).body
    counts = {"members_count": len(team.members), "repos_count": len(team.repositories)}
    since = {"created_at": call.fake.began, "updated_at": call.fake.began}
    return Answer(body=_shown(call, made.login, team) | counts | since | {"organization": org})


def _team_members(call: Call) -> Answer:
    active = [login for login, state in _team(call).members.items() if state == "active"]
    return page(call, [shapes.user(call.fake, call.fake.person(login)) for login in active])


def _team_membership(call: Call) -> Answer:
    team, login = _team(call), call.args["username"]
    if login not in team.members:
        raise missing()
    url = call.fake.url(f"orgs/{call.args['org']}/teams/{team.slug}/memberships/{login}")
    role = "maintainer" if login in team.maintainers else "member"
    return Answer(body={"url": url, "role": role, "state": team.members[login]})


def _repository_teams(call: Call) -> Answer:
    made = call.fake.organizations.get(call.here.owner)
    teams = made.teams.values() if made else ()
    return page(call, [
        _shown(call, call.here.owner, t) | {"permission": t.repositories[call.here.full_name]}
        for t in teams
        if call.here.full_name in t.repositories
    ])  # fmt: skip


def _permission(call: Call) -> Answer:
    login = call.args["username"]
    if login not in call.fake.people:
        raise missing()
    role = call.fake.role(call.here, login)
    if role == "none" and not call.here.private:
        role = "read"  # everybody reads a public repository
    old = {"maintain": "write", "triage": "read"}.get(role, role)  # the field's older words
    person = shapes.user(call.fake, call.fake.person(login))
    order = ("none", "read", "triage", "write", "maintain", "admin")
    names = ("", "pull", "triage", "push", "maintain", "admin")
    held = {n: i <= order.index(role) for i, n in enumerate(names) if n}
    user = person | {"permissions": held, "role_name": role}
    return Answer(body={"permission": old, "role_name": role, "user": user})


def _collaborator(call: Call) -> Answer:
    role = call.fake.role(call.here, call.args["username"])
    if role == "none":
        raise missing()
    return Answer(204)


_O = "orgs/{org}"
_T = f"{_O}/teams/{{team_slug}}"
_R = "repos/{owner}/{repo}"
ROUTES = (
    Route("GET", "user", "", _me),
    Route("GET", "users/{username}", "", _user),
    Route("GET", _O, "", _org),
    Route("GET", f"{_O}/members/{{username}}", "members:read", _member),
    Route("GET", f"{_O}/memberships/{{username}}", "members:read", _membership),
    Route("GET", f"{_O}/teams", "members:read", _teams),
    Route("GET", _T, "members:read", _one_team),
    Route("GET", f"{_T}/members", "members:read", _team_members),
    Route("GET", f"{_T}/memberships/{{username}}", "members:read", _team_membership),
    Route("GET", f"{_R}/teams", "administration:read", _repository_teams),
    Route("GET", f"{_R}/collaborators/{{username}}", "metadata:read", _collaborator),
    Route("GET", f"{_R}/collaborators/{{username}}/permission", "metadata:read", _permission),
)
