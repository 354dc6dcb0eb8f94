"""Pull requests, reviews, comments, labels, reactions."""

from __future__ import annotations

from typing import Any

from tests.github import shapes, shapes_checks
from tests.github.pulls import FakePull
from tests.github.wire import Answer, Call, Refusal, Route, invalid, missing, page

MOST_COMMENT = 65_536  # characters of a comment's body, as GitHub's error says


def _pull(call: Call, name: str = "pull_number") -> FakePull:
    pull = call.here.pulls.get(call.number(name))
    if pull is None:
        raise missing()
    return pull


def _pulls(call: Call) -> Answer:
    state, head, base = call.asked("state", "open"), call.asked("head"), call.asked("base")
    chosen = [
        p
        for p in sorted(call.here.pulls.values(), key=lambda p: -p.number)
        if state in ("all", p.state)
        and base in ("", p.base)
        and (not head or (p.source and head == f"{p.source.owner}:{p.branch}"))
    ]
    if call.asked("direction") == "asc":
        chosen.reverse()
    answer = page(call, chosen)
    answer.body = [shapes.pull(p) for p in answer.body]
    return answer


def _one(call: Call) -> Answer:
    return Answer(body=shapes.whole_pull(_pull(call)))


def _open(call: Call) -> Answer:
    body = call.body
    for name in ("head", "base"):
        if not body.get(name):
            raise invalid("PullRequest", name, f"{name} is missing", "missing_field")
    owner, _, branch = str(body["head"]).rpartition(":")
    source = call.here
    if owner and owner != call.here.owner:
        found = call.fake.repositories.get(f"{owner}/{call.here.name}")
        if found is None:
            raise invalid("PullRequest", "head", "head is invalid", "invalid")
        source = found
    if branch not in source.git.heads() or body["base"] not in call.here.git.heads():
        raise invalid("PullRequest", "head", "head is invalid", "invalid")
    pull = call.here.pull(
        branch, title=str(body.get("title", "")), by=call.who.login, base=str(body["base"]),
        draft=bool(body.get("draft")), body=str(body.get("body") or ""), source=source,
    )  # fmt: skip
    return Answer(201, shapes.whole_pull(pull))


def _edit(call: Call) -> Answer:
    pull, body = _pull(call), call.body
    pull.title = body.get("title", pull.title)
    pull.body = body.get("body", pull.body)
    pull.base = body.get("base", pull.base)
    if body.get("state") == "closed" and pull.state == "open":
        pull.close(call.who.login)
    elif body.get("state") == "open" and pull.state == "closed":
        pull.reopen(call.who.login)
    else:
        pull.event("edited", call.who.login)
    return Answer(body=shapes.whole_pull(pull))


def _files(call: Call) -> Answer:
    pull, git = _pull(call), call.here.git
    base = git.run("merge-base", pull.base_sha, pull.head_sha)
    listed = git.run("diff", "--raw", "--no-abbrev", "-z", base, pull.head_sha).split("\0")
    files = []
    words = {"A": "added", "D": "removed", "M": "modified"}
    for about, name in zip(listed[::2], listed[1::2], strict=False):
        blob, letter = about.split()[3], about.split()[4][0]
        where = call.fake.url(f"repos/{call.here.full_name}/contents/{name}?ref={pull.head_sha}")
        web = f"https://github.com/{call.here.full_name}"
        files.append({
            "sha": blob, "filename": name, "status": words.get(letter, "changed"), "additions": 1,
            "deletions": 0, "changes": 1, "contents_url": where,
            "blob_url": f"{web}/blob/{pull.head_sha}/{name}",
            "raw_url": f"{web}/raw/{pull.head_sha}/{name}",
        })  # fmt: skip
    return page(call, files)


def _commits(call: Call) -> Answer:
    pull, git = _pull(call), call.here.git
    base = git.heads().get(pull.base, pull.base_sha)
    listed = git.run("rev-list", "--reverse", f"{base}..{pull.head_sha}").split()
    answer = page(call, listed)
    answer.body = [shapes_checks.commit(call.here, sha) for sha in answer.body]
    return answer


def _reviews(call: Call) -> Answer:
    pull = _pull(call)
    return page(call, [shapes.review(pull, r) for r in pull.reviews])


def _review(call: Call) -> Answer:
    pull, body = _pull(call), call.body
    states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
    if body.get("event") == "APPROVE" and call.who.login == pull.author:
        raise Refusal(422, "Can not approve your own pull request")
    state = states.get(str(body.get("event")), "PENDING")
    commit, said = str(body.get("commit_id") or ""), str(body.get("body") or "")
    return Answer(
        body=shapes.review(pull, pull.review(state, call.who.login, commit=commit, body=said))
    )


def _merge(call: Call) -> Answer:
    pull = _pull(call)
    wanted = call.body.get("sha")
    if wanted and wanted != pull.head_sha:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    if pull.state != "open" or pull.merge_commit() is None:
        raise Refusal(405, "Pull Request is not mergeable")
    sha = pull.merge(call.who.login, str(call.body.get("merge_method") or "merge"))
    return Answer(body={"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _issue(call: Call) -> Answer:
    pull, fake = _pull(call, "issue_number"), call.fake
    whole = shapes.pull(pull)
    base, web = whole["issue_url"], whole["html_url"]
    where = {"url": whole["url"], "html_url": web, "diff_url": whole["diff_url"],
             "patch_url": whole["patch_url"], "merged_at": whole["merged_at"]}  # fmt: skip
    kept = (
        "id", "node_id", "number", "state", "title", "user", "body", "labels", "milestone",
        "assignee", "assignees", "created_at", "updated_at", "closed_at", "locked",
        "author_association", "active_lock_reason", "body_html", "body_text",
    )  # fmt: skip
    comments = sum(c["number"] == pull.number for c in call.here.comments.values())
    return Answer(body={name: whole[name] for name in kept} | {
        "url": base, "repository_url": fake.url(f"repos/{call.here.full_name}"), "html_url": web,
        "labels_url": f"{base}/labels{{/name}}", "comments_url": f"{base}/comments",
        "events_url": f"{base}/events", "comments": comments, "pull_request": where,
        "draft": pull.draft, "closed_by": None,
    })  # fmt: skip


def _comments(call: Call) -> Answer:
    number = _pull(call, "issue_number").number
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
    number = _pull(call, "issue_number").number
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
    pull = _pull(call, "issue_number")
    return page(call, [shapes.label(call.here, name) for name in pull.labels])


def _label(call: Call) -> Answer:
    pull = _pull(call, "issue_number")
    for name in call.body.get("labels", []):
        if len(name) > 50:
            raise invalid("Label", "name", "name is too long (maximum is 50 characters)")
        pull.label(name, by=call.who.login)
    return Answer(body=[shapes.label(call.here, name) for name in pull.labels])


def _relabel(call: Call) -> Answer:
    pull, wanted = _pull(call, "issue_number"), call.body.get("labels", [])
    for name in [n for n in pull.labels if n not in wanted]:
        _off(pull, name, call.who.login)
    return _label(call)


def _unlabel(call: Call) -> Answer:
    pull, name = _pull(call, "issue_number"), call.args["name"]
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


def _of_commit(call: Call) -> Answer:
    sha = call.here.git.resolve(call.args["commit_sha"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.args['commit_sha']}")
    chosen = [
        p
        for p in call.here.pulls.values()
        if p.head_sha == sha or (p.merged_as or "") == sha
    ]  # fmt: skip
    return page(call, [shapes.pull(p) for p in chosen])


_R = "repos/{owner}/{repo}"
_P = f"{_R}/pulls/{{pull_number}}"
_I = f"{_R}/issues/{{issue_number}}"
_C = f"{_R}/issues/comments/{{comment_id}}"
READ, WRITE = "pull_requests:read", "pull_requests:write"
ROUTES = (
    Route("GET", f"{_R}/pulls", READ, _pulls),
    Route("POST", f"{_R}/pulls", WRITE, _open),
    Route("GET", _P, READ, _one),
    Route("PATCH", _P, WRITE, _edit),
    Route("GET", f"{_P}/files", READ, _files),
    Route("GET", f"{_P}/commits", READ, _commits),
    Route("GET", f"{_P}/reviews", READ, _reviews),
    Route("POST", f"{_P}/reviews", WRITE, _review),
    Route("PUT", f"{_P}/merge", "contents:write", _merge),
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
    Route("GET", f"{_R}/commits/{{commit_sha}}/pulls", READ, _of_commit),
)
