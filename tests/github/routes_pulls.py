"""Pull requests and their reviews."""

from __future__ import annotations

from tests.github import shapes, shapes_checks
from tests.github.pulls import FakePull
from tests.github.wire import Answer, Call, Refusal, Route, invalid, missing, page


def _pull(call: Call) -> FakePull:
    pull = call.here.pulls.get(call.number("pull_number"))
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
    Route("GET", f"{_R}/commits/{{commit_sha}}/pulls", READ, _of_commit),
)
