"""GitHub's own OpenAPI description: is what we send allowed, is what the fake answers possible?

The description is npm's `@octokit/openapi` (MIT), `generated/api.github.com.json`, 13 MB. It is
downloaded once by the test with the marker `online` and kept in the user's cache under its digest;
where it lies there, `watch(fake)` judges every request and every answer. Strict where GitHub is
lenient: a query parameter or a field of a body that the description does not know is a mistake of
ours. Lenient where the description is loose: `oneOf` is read as `anyOf`, for its members overlap.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.github.shape_validator import Schema, problems, resolved, strange
from tests.github.wire import Answer, Request, precedence

if TYPE_CHECKING:
    from tests.github.server import FakeGitHub

PACKAGE = "@octokit/openapi@23.0.2"
MEMBER = "package/generated/api.github.com.json"
DIGEST = "829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a"
# Not described: GraphQL, which is not REST.
OUTSIDE = ("graphql",)
# Where the description is wrong: an account is one of two things there, not both at once; the
# repository of a head is null where the fork was deleted (it says so for lists, not for one); an
# empty list takes all labels away (it says so in words and has `minItems: 1`).
FLAWS = (
    ("/repos/{owner}/{repo}/issues/{issue_number}/labels", "{'labels': []} is not valid"),
    ("/app/installations", ".account: "),
    ("/repos/{owner}/{repo}/pulls/{pull_number}", "head.repo: None is not of type 'object'"),
)
# Answers that any operation may give, in the form of a basic error.
ANYWHERE = (400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 502, 503)


def cached() -> Path:
    """Where the description lies, or would lie."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "llmops-tests" / f"github-openapi-{DIGEST[:16]}.json"


def download() -> Path:
    """Get the description with npm, check its digest and keep it."""
    target = cached()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True,
            timeout=300,
        )  # fmt: skip
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            member = archive.extractfile(MEMBER)
            assert member is not None
            content = member.read()
    assert hashlib.sha256(content).hexdigest() == DIGEST, f"{PACKAGE} is not what it was"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    partial.write_bytes(content)
    partial.replace(target)
    return target


@dataclass(frozen=True)
class Operation:
    """One operation of the description."""

    method: str
    template: str
    pattern: re.Pattern[str]
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"


class Description:
    """The description, read; an operation is looked up by method and path."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole
        self.operations: dict[str, list[Operation]] = {}
        for template, methods in whole["paths"].items():
            for method, about in methods.items():
                made = Operation(method.upper(), template, _pattern(template), about)
                self.operations.setdefault(made.method, []).append(made)
        for listed in self.operations.values():
            listed.sort(key=lambda o: precedence(o.pattern, o.template))

    def operation(self, method: str, path: str) -> Operation | None:
        for one in self.operations.get(method, ()):
            if one.pattern.fullmatch(f"/{path}"):
                return one
        return None

    def request(self, request: Request) -> Iterator[str]:
        """What is wrong with a request."""
        one = self.operation(request.method, request.path)
        if one is None:
            yield f"{request.method} {request.path}: GitHub has no such operation"
            return
        yield from self._parameters(one, request)
        yield from self._body(one, request)

    def answer(self, request: Request, answer: Answer) -> Iterator[str]:
        """What is wrong with an answer of the fake."""
        one = self.operation(request.method, request.path)
        if one is None or answer.status == 304:
            return
        described = one.about["responses"].get(str(answer.status))
        if described is None:
            yield from self._undescribed(one, answer)
            return
        described = resolved(self.whole, described)
        media = described.get("content", {}).get("application/json")
        if media is None:
            if answer.status < 400 and isinstance(answer.body, dict | list) and answer.body:
                yield f"{one.name}: {answer.status} has no body of JSON"
            return
        if isinstance(answer.body, bytes):  # another media type was asked for
            return
        for wrong in problems(self.whole, media["schema"], answer.body):
            if not _is_flaw(one, wrong):
                yield f"{one.name}: answer {answer.status}: {wrong}"

    def _undescribed(self, one: Operation, answer: Answer) -> Iterator[str]:
        if answer.status not in ANYWHERE:
            yield f"{one.name}: {answer.status} is not among its answers"
        elif not isinstance(answer.body, dict) or not isinstance(answer.body.get("message"), str):
            yield f"{one.name}: an error has a message"

    def _parameters(self, one: Operation, request: Request) -> Iterator[str]:
        known = [resolved(self.whole, p) for p in one.about.get("parameters", ())]
        found = one.pattern.fullmatch(f"/{request.path}")
        values = {"path": found.groupdict() if found else {}, "query": dict(request.query)}
        for parameter in known:
            place, name = parameter["in"], parameter["name"]
            if place not in values:
                continue
            if name not in values[place]:
                if parameter.get("required"):
                    yield f"{one.name}: {place} has no {name}"
                continue
            value = _typed(resolved(self.whole, parameter["schema"]), values[place].pop(name))
            for wrong in problems(self.whole, parameter["schema"], value):
                yield f"{one.name}: {name} of the {place}: {wrong}"
        for name in values["query"]:
            yield f"{one.name}: the query has an unknown {name}"

    def _body(self, one: Operation, request: Request) -> Iterator[str]:
        described = one.about.get("requestBody")
        try:
            body = request.json
        except ValueError:
            yield f"{one.name}: the body is no JSON"
            return
        if described is None:
            if body:
                yield f"{one.name}: takes no body, got {sorted(body)}"
            return
        if body is None:
            if resolved(self.whole, described).get("required"):
                yield f"{one.name}: has no body"
            return
        schema: Schema = resolved(self.whole, described)["content"]["application/json"]["schema"]
        for wrong in (*problems(self.whole, schema, body), *strange(self.whole, schema, body)):
            if not _is_flaw(one, wrong):
                yield f"{one.name}: body: {wrong}"


def _is_flaw(one: Operation, wrong: str) -> bool:
    """Whether it is the description that is wrong."""
    return any(one.template == template and word in wrong for template, word in FLAWS)


def _pattern(template: str) -> re.Pattern[str]:
    wide = ("{path}", "{ref}", "{branch}", "{basehead}")
    parts = re.split(r"(\{[^}]+\})", template)
    regex = (
        (f"(?P<{p[1:-1].replace('-', '_')}>{'.+' if p in wide else '[^/]+'})")
        if p.startswith("{")
        else re.escape(p)
        for p in parts
    )
    return re.compile("".join(regex))


def _typed(schema: Schema, text: str) -> Any:
    """A parameter's text as the type that is asked for."""
    if schema.get("type") in ("integer", "number") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    if schema.get("type") == "array":
        return text.split(",")
    if "oneOf" in schema and text.isdigit():
        return int(text)
    return text


@cache
def description() -> Description | None:
    """The description, None where it was never downloaded."""
    file = cached()
    return Description(json.loads(file.read_bytes())) if file.is_file() else None


@dataclass
class Watch:
    """What was seen to be wrong, and which operations were used."""

    described: Description
    requests: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def __call__(self, request: Request, answer: Answer) -> None:
        if request.path in OUTSIDE:
            return
        one = self.described.operation(request.method, request.path)
        self.used |= {one.name} if one else set()
        self.requests += self.described.request(request)
        if not answer.struck:
            self.answers += self.described.answer(request, answer)


def watch(fake: FakeGitHub) -> Watch | None:
    """Judge all that goes to and from a fake from now on; None without the description."""
    described = description()
    if described is None:
        return None
    made = Watch(described)
    fake.watchers.append(made)
    return made


def judged(fake: FakeGitHub, most: int = 300) -> Watch | None:
    """The first of what a fake has seen since it was last judged; None without the description."""
    start = fake.judged if fake.judged <= len(fake.requests) else 0
    seen, fake.judged = fake.requests[start:][:most], len(fake.requests)
    described = description() if seen else None
    if described is None:
        return None
    made = Watch(described)
    for request, answer in seen:
        made(request, answer)
    return made
