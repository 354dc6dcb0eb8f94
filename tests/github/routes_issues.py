"""Issues, and what pull requests have of them: comments, labels, reactions."""

from __future__ import annotations

from typing import Any

from tests.github import shapes
from tests.github.pulls import FakePull
from tests.github.wire import Answer, Call, Refusal, Route, invalid, missing, page

MOST_COMMENT = 65_536  # characters of a comment's body, as GitHub's error says


def _number(call: Call) -> int:
    """The number of an issue or a pull request; 404 where it is neither."""
    number = call.number("issue_number")
    if number not in call.here.pulls and number not in call.here.issues:
        raise missing()
    return number


def _pull(call: Call) -> FakePull:
    pull = call.here.pulls.get(_number(call))
    if pull is None:
        raise missing()
    return pull


def _issue(call: Call) -> Answer:
    return Answer(body=_shown(call, _number(call)))


def _shown(call: Call, number: int) -> dict[str, Any]:
    repo, fake = call.here, call.fake
    base = fake.url(f"repos/{repo.full_name}/issues/{number}")
    pull = repo.pulls.get(number)
    whole = _of_pull(pull) if pull else dict(repo.issues[number])
    who = whole.pop("by", None) or (pull.author if pull else "")
    names = whole.pop("labels")
    comments = sum(c["number"] == number for c in repo.comments.values())
    kind = "pull" if pull else "issues"
    return whole | {
        "number": number, "node_id": shapes.node("I", number), "id": 8_000_000 + number,
        "user": shapes.user(fake, fake.person(who)), "url": base, "comments": comments,
        "labels": [shapes.label(repo, name) for name in names], "assignee": None,
        "assignees": [], "milestone": None, "locked": False, "active_lock_reason": None,
        "repository_url": fake.url(f"repos/{repo.full_name}"),
        "labels_url": f"{base}/labels{{/name}}",
        "comments_url": f"{base}/comments", "events_url": f"{base}/events", "closed_by": None,
        "html_url": f"https://github.com/{repo.full_name}/{kind}/{number}", "body_html": "",
        "body_text": "", "author_association": shapes.person_association(repo, who),
    }  # fmt: skip


def _of_pull(pull: FakePull) -> dict[str, Any]:
    whole = shapes.pull(pull)
    where = ("url", "html_url", "diff_url", "patch_url", "merged_at")
    kept = ("state", "title", "body", "created_at", "updated_at", "closed_at")
    more = {"labels": pull.labels, "draft": pull.draft}
    return {k: whole[k] for k in kept} | more | {"pull_request": {k: whole[k] for k in where}}


def _issues(call: Call) -> Answer:
    state = call.asked("state", "open")
    wanted = {name for name in call.asked("labels").split(",") if name}
    numbers = sorted((*call.here.pulls, *call.here.issues), reverse=True)
    every = [_shown(call, number) for number in numbers]
    return page(call, [
        one
        for one in every
        if state in ("all", one["state"]) and wanted <= {label["name"] for label in one["labels"]}
    ])  # fmt: skip


def _open(call: Call) -> Answer:
    body, at = call.body, call.fake.stamp()
    if not body.get("title"):
        raise invalid("Issue", "title", "title is missing", "missing_field")
    number = call.fake.next_number(call.here)
    call.here.issues[number] = {
        "title": body["title"], "body": body.get("body"), "state": "open", "by": call.who.login,
        "labels": list(body.get("labels", ())), "created_at": at, "updated_at": at,
        "closed_at": None,
    }  # fmt: skip
    return Answer(201, _shown(call, number))


def _edit(call: Call) -> Answer:
    number, body = _number(call), call.body
    made = call.here.issues.get(number)
    if made is None:
        raise missing()
    made |= {k: body[k] for k in ("title", "body", "state", "labels") if k in body}
    made["closed_at"] = call.fake.stamp() if made["state"] == "closed" else None
    return Answer(body=_shown(call, number))


def _all_comments(call: Call) -> Answer:
    since = call.asked("since")
    listed = [c for c in call.here.comments.values() if c["updated_at"] >= since]
    if call.asked("direction") == "desc":
        listed.reverse()
    return page(call, [shapes.comment(call.here, c) for c in listed])


def _comments(call: Call) -> Answer:
    number = _number(call)
    listed = [c for c in call.here.comments.values() if c["number"] == number]
    answer = page(call, listed)
    answer.body = [shapes.comment(call.here, c) for c in answer.body]
    return answer


def _text(call: Call) -> str:
    text = call.body.get("body")
    if not isinstance(text, str) or not text.strip():
        raise invalid("IssueComment", "body", "body can't be blank", "missing_field")
    if len(text) > MOST_COMMENT:
        raise invalid("IssueComment", "body", f"body is too long (maximum is {MOST_COMMENT}"
                      " characters)")  # fmt: skip
    return text


def _say(call: Call) -> Answer:
    number = _number(call)
    made = call.here.comment(number, _text(call), call.who.login, call.who.app)
    return Answer(201, shapes.comment(call.here, made))


def _said(call: Call) -> dict[str, Any]:
    found = call.here.comments.get(call.number("comment_id"))
    if found is None:
        raise missing()
    return found


def _comment(call: Call) -> Answer:
    return Answer(body=shapes.comment(call.here, _said(call)))


def _own(call: Call) -> dict[str, Any]:
    """A comment that the caller may change: an App its own, a person with write access any."""
    made = _said(call)
    if call.who.app is not None and made["by"] != call.who.login:
        raise Refusal(403, "Resource not accessible by integration")
    return made


def _say_again(call: Call) -> Answer:
    made, text = _own(call), _text(call)
    made |= {"body": text, "updated_at": call.fake.stamp()}
    call.fake.emit_comment(call.here, made, "edited", call.who.login)
    return Answer(body=shapes.comment(call.here, made))


def _unsay(call: Call) -> Answer:
    made = _own(call)
    del call.here.comments[made["id"]]
    call.fake.emit_comment(call.here, made, "deleted", call.who.login)
    return Answer(204)


def _react(call: Call) -> Answer:
    made, content = _said(call), call.body.get("content")
    if content not in ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"):
        raise invalid("Reaction", "content", "content is not included in the list", "invalid")
    reactions = made.setdefault("reactions", [])
    reaction = {"id": call.fake.next_id(), "by": call.who.login, "content": content}
    reactions.append(reaction)
    who = shapes.user(call.fake, call.fake.person(call.who.login))
    shown = {"id": reaction["id"], "node_id": shapes.node("REA", reaction["id"]), "user": who}
    return Answer(201, shown | {"content": content, "created_at": call.fake.stamp()})


def _labels_of(call: Call) -> Answer:
    pull = _pull(call)
    return page(call, [shapes.label(call.here, name) for name in pull.labels])


def _label(call: Call) -> Answer:
    pull = _pull(call)
    for name in call.body.get("labels", []):
        if len(name) > 50:
            raise invalid("Label", "name", "name is too long (maximum is 50 characters)")
        pull.label(name, by=call.who.login)
    return Answer(body=[shapes.label(call.here, name) for name in pull.labels])


def _relabel(call: Call) -> Answer:
    pull, wanted = _pull(call), call.body.get("labels", [])
    for name in [n for n in pull.labels if n not in wanted]:
        _off(pull, name, call.who.login)
    return _label(call)


def _unlabel(call: Call) -> Answer:
    pull, name = _pull(call), call.args["name"]
    if name not in pull.labels:
        raise missing("Label does not exist")
    _off(pull, name, call.who.login)
    return Answer(body=[shapes.label(call.here, n) for n in pull.labels])


def _off(pull: FakePull, name: str, by: str) -> None:
    pull.labels.remove(name)
    pull.event("unlabeled", by, label={"name": name})


def _labels(call: Call) -> Answer:
    return page(call, [shapes.label(call.here, name) for name in call.here.labels])


def _new_label(call: Call) -> Answer:
    name = call.body.get("name")
    if not name:
        raise invalid("Label", "name", "name is missing", "missing_field")
    if name in call.here.labels:
        raise invalid("Label", "name", "already exists", "already_exists")
    shapes.label(call.here, name)
    call.here.labels[name] |= {
        k: call.body[k].removeprefix("#") if k == "color" else call.body[k]
        for k in ("color", "description")
        if k in call.body
    }
    return Answer(201, shapes.label(call.here, name))


_R = "repos/{owner}/{repo}"
_I = f"{_R}/issues/{{issue_number}}"
_C = f"{_R}/issues/comments/{{comment_id}}"
# Of a pull request, either permission will do.
READ, WRITE = "issues:read|pull_requests:read", "issues:write|pull_requests:write"
ROUTES = (
    Route("GET", f"{_R}/issues", READ, _issues),
    Route("POST", f"{_R}/issues", WRITE, _open),
    Route("PATCH", _I, WRITE, _edit),
    Route("GET", f"{_R}/issues/comments", READ, _all_comments),
    Route("GET", _I, READ, _issue),
    Route("GET", f"{_I}/comments", READ, _comments),
    Route("POST", f"{_I}/comments", WRITE, _say),
    Route("GET", _C, READ, _comment),
    Route("PATCH", _C, WRITE, _say_again),
    Route("DELETE", _C, WRITE, _unsay),
    Route("POST", f"{_C}/reactions", WRITE, _react),
    Route("GET", f"{_I}/labels", READ, _labels_of),
    Route("POST", f"{_I}/labels", WRITE, _label),
    Route("PUT", f"{_I}/labels", WRITE, _relabel),
    Route("DELETE", f"{_I}/labels/{{name}}", WRITE, _unlabel),
    Route("GET", f"{_R}/labels", READ, _labels),
    Route("POST", f"{_R}/labels", WRITE, _new_label),
)
