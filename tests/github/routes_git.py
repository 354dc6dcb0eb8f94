"""Repositories, branches, refs, commits and contents, read from git."""

from __future__ import annotations

import base64
from typing import Any

from tests.github import shapes, shapes_checks
from tests.github.wire import Answer, Call, Refusal, Route, invalid, missing, page


def _repository(call: Call) -> Answer:
    role = call.fake.role(call.here, call.who.login) if call.who.login else ""
    return Answer(body=shapes.repository(call.here, "" if role == "none" else role))


def _protected(call: Call, branch: str) -> bool:
    return branch in call.here.protection or bool(call.here.rules(branch))


def _branches(call: Call) -> Answer:
    base = call.fake.url(f"repos/{call.here.full_name}/commits")
    return page(call, [
        {"name": name, "commit": {"sha": sha, "url": f"{base}/{sha}"},
         "protected": _protected(call, name)}
        for name, sha in sorted(call.here.git.heads().items())
    ])  # fmt: skip


def _branch(call: Call) -> Answer:
    name = call.args["branch"]
    sha = call.here.git.heads().get(name)
    if sha is None:
        raise missing("Branch not found")
    base = call.fake.url(f"repos/{call.here.full_name}/branches/{name}")
    protection = call.here.protection.get(name)
    return Answer(body={
        "name": name, "commit": shapes_checks.commit(call.here, sha),
        "_links": {"self": base, "html": f"https://github.com/{call.here.full_name}/tree/{name}"},
        "protected": _protected(call, name),
        "protection": {"enabled": protection is not None, **(protection or {})},
        "protection_url": f"{base}/protection",
    })  # fmt: skip


def _protection(call: Call) -> Answer:
    found = call.here.protection.get(call.args["branch"])
    if found is None:
        raise missing("Branch not protected")
    return Answer(body=found)


def _ref(call: Call) -> Answer:
    return Answer(body=_shown(call, f"refs/{call.args['ref']}"))


def _shown(call: Call, ref: str) -> dict[str, Any]:
    sha = call.here.git.run("rev-parse", "--verify", "--quiet", ref, ok=(0, 1, 128))
    if not sha:
        raise missing()
    where = call.fake.url(f"repos/{call.here.full_name}/git")
    about = {"type": "commit", "sha": sha, "url": f"{where}/commits/{sha}"}
    return {
        "ref": ref, "node_id": "REF_x", "url": f"{where}/{ref}", "object": about,
    }  # fmt: skip


def _refs(call: Call) -> Answer:
    wanted = f"refs/{call.args['ref']}"
    listed = call.here.git.run("for-each-ref", "--format=%(refname)").split()
    return page(call, [_shown(call, name) for name in listed if name.startswith(wanted)])


def _new_ref(call: Call) -> Answer:
    ref, sha = str(call.body.get("ref") or ""), str(call.body.get("sha") or "")
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise invalid("Reference", "ref", "Reference name must start with 'refs/'")
    if not call.here.git.has(sha):
        raise Refusal(422, "Object does not exist")
    if call.here.git.run("rev-parse", "--verify", "--quiet", ref, ok=(0, 1, 128)):
        raise Refusal(422, "Reference already exists")
    call.here.git.set(ref, sha)
    call.here.sync(call.who.login)
    return Answer(201, _shown(call, ref))


def _move_ref(call: Call) -> Answer:
    ref, sha = f"refs/{call.args['ref']}", str(call.body.get("sha") or "")
    old = _shown(call, ref)["object"]["sha"]
    if not call.here.git.has(sha):
        raise Refusal(422, "Object does not exist")
    if not call.body.get("force") and not call.here.git.is_ancestor(old, sha):
        raise Refusal(422, "Update is not a fast forward")
    call.here.git.set(ref, sha)
    call.here.sync(call.who.login)
    return Answer(body=_shown(call, ref))


def _commit(call: Call) -> Answer:
    sha = call.here.git.resolve(call.args["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.args['ref']}")
    return Answer(body=shapes_checks.commit(call.here, sha))


def _commits(call: Call) -> Answer:
    start = call.here.git.resolve(call.asked("sha", call.here.default_branch))
    if start is None:
        raise missing()
    answer = page(call, call.here.git.run("rev-list", start).split())
    answer.body = [shapes_checks.commit(call.here, sha) for sha in answer.body]
    return answer


def _contents(call: Call) -> Answer:
    git, path = call.here.git, call.args["path"].strip("/")
    sha = git.resolve(call.asked("ref", call.here.default_branch))
    if sha is None:
        raise missing(f"No commit found for the ref {call.asked('ref')}")
    content = git.read(sha, path)
    if content is not None:
        return _file(call, sha, path, content)
    listed = git.run("ls-tree", "-l", sha, f"{path}/", ok=(0, 128)).splitlines()
    if not listed:
        raise missing()
    return Answer(body=[_entry(call, sha, line) for line in listed])


def _file(call: Call, sha: str, path: str, content: bytes) -> Answer:
    if "raw" in call.request.headers.get("accept", ""):
        return Answer(200, content, {"Content-Type": "application/vnd.github.raw"})
    line = call.here.git.run("ls-tree", "-l", sha, path)
    encoded = base64.encodebytes(content).decode()
    return Answer(body={**_entry(call, sha, line), "content": encoded, "encoding": "base64"})


def _entry(call: Call, sha: str, line: str) -> dict[str, Any]:
    about, _, path = line.partition("\t")
    _, kind, oid, size = about.split()
    base = call.fake.url(f"repos/{call.here.full_name}")
    url, git = f"{base}/contents/{path}?ref={sha}", f"{base}/git/{kind}s/{oid}"
    web = f"https://github.com/{call.here.full_name}/{kind}/{sha}/{path}"
    raw = f"https://raw.githubusercontent.com/{call.here.full_name}/{sha}/{path}"
    return {
        "name": path.rpartition("/")[2], "path": path, "sha": oid, "type":
        "file" if kind == "blob" else "dir", "size": int(size) if size.isdigit() else 0,
        "url": url, "git_url": git, "html_url": web,
        "download_url": raw if kind == "blob" else None,
        "_links": {"self": url, "git": git, "html": web},
    }  # fmt: skip


def _owners(call: Call) -> Answer:
    return Answer(body={"errors": call.here.settings.get("codeowners_errors", [])})


_R = "repos/{owner}/{repo}"
_B = f"{_R}/branches/{{branch}}"
READ, WRITE = "contents:read", "contents:write"
ROUTES = (
    Route("GET", _R, "metadata:read", _repository),
    Route("GET", f"{_R}/branches", READ, _branches),
    Route("GET", _B, READ, _branch),
    Route("GET", f"{_B}/protection", "administration:read", _protection),
    Route("GET", f"{_R}/git/ref/{{ref}}", READ, _ref),
    Route("GET", f"{_R}/git/matching-refs/{{ref}}", READ, _refs),
    Route("POST", f"{_R}/git/refs", WRITE, _new_ref),
    Route("PATCH", f"{_R}/git/refs/{{ref}}", WRITE, _move_ref),
    Route("GET", f"{_R}/commits", READ, _commits),
    Route("GET", f"{_R}/commits/{{ref}}", READ, _commit),
    Route("GET", f"{_R}/contents/{{path}}", READ, _contents),
    Route("GET", f"{_R}/codeowners/errors", READ, _owners),
)
