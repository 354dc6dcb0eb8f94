"""Writes `tests/audit/vectors/`: logs and claims on which two verifiers must agree.

Out: `NAME.zip`, each a bundle with a log of a few entries and no verdict, `logs.json`, which says
of each whether it holds and why not, and `claims.json`: claims on rows with what they come to, as
`llmops/rules/claims.py` decides them. The same bytes on every machine.
`python -m tests.tools.make_vectors` rewrites them; whoever writes a third verifier starts here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmops import merkle
from llmops.attest.plain import plain
from llmops.audit import container, index
from llmops.digest import canonical, of_bytes
from llmops.evidence import public, started
from llmops.evidence.statement import Links, statement
from llmops.jobs.base import Artifact, Job, Measurement, Result
from llmops.log import checkpoint
from llmops.log.redact import redaction
from llmops.rules.base import Terms
from llmops.rules.claims import Question, cells, decide, scale_of
from llmops.rules.profile import said
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Role
from llmops.signing.keys import PemSigner
from llmops.signing.root import Grant, Revoked, Root, draft
from llmops.specs.base import Ref
from tests import keyring

FOLDER = Path(__file__).parents[1] / "audit" / "vectors"
OWNER, SECOND, GATE, RUNNER = map(keyring.person, ("owner", "second owner", "gate", "runner"))
ENDED, GONE, STRANGER = map(keyring.person, ("ended", "gone", "stranger"))
ORIGIN, PAST = "llmops.dev/vectors", "2026-02-01T00:00:00Z"


def root() -> Root:
    """Who may do what; two owners, of whom one is enough."""
    people = (OWNER, SECOND, GATE, RUNNER, ENDED, GONE)
    keys = {one.key: keyring.named(one) for one in people}
    keys[ENDED.key] = keyring.named(ENDED, "eve", until=PAST)
    roles: dict[Role, Grant] = {
        "root": granted(OWNER, SECOND), "gate": granted(GATE, ENDED, GONE),
        "log": granted(GATE, ENDED, GONE), "runner": granted(RUNNER),
    }  # fmt: skip
    return draft(Root(1, "", keys, roles, {GONE.key: Revoked(PAST, "lost")}))


def granted(*people: PemSigner) -> Grant:
    """A role of some people."""
    return Grant(tuple(sorted(one.key for one in people)))


@dataclass(frozen=True)
class Made:
    """A log on its way. `reason` is "" where it holds."""

    entries: tuple[bytes, ...]
    blobs: tuple[bytes, ...] = ()
    sealer: PemSigner = GATE
    reason: str = ""
    seal: bytes = b""
    pin: str = field(default_factory=lambda: root().digest)

    def bundle(self) -> bytes:
        """Its bytes."""
        top = merkle.root(map(merkle.leaf, self.entries))
        note = checkpoint.sign(ORIGIN, len(self.entries), top, self.sealer)
        files = {index.entry(i): data for i, data in enumerate(self.entries)}
        files |= {index.blob(of_bytes(one)): one for one in self.blobs}
        files |= {index.CHECKPOINT: note, index.WITHHELD: b"{}"}
        listed = index.made(files)
        if self.seal:
            listed = _relisted(listed, self.seal)
            files[index.CHECKPOINT] = self.seal
        return container.encode({**files, index.NAME: listed})


def _relisted(listed: bytes, seal: bytes) -> bytes:
    """The list with another seal, also one that is none."""
    said = json.loads(listed)
    said["files"][index.CHECKPOINT] = of_bytes(seal)[7:]
    _, size, top = seal.decode().split("\n")[:3]
    said["size"], said["root"] = int(size), top.strip()
    return canonical(said)


def run(name: str, rows: Sequence[Mapping[str, Any]], signer: PemSigner) -> tuple[bytes, ...]:
    """A start and its run, signed, and the public form of its rows."""
    data = b"".join(canonical(row) + b"\n" for row in rows)
    form = public.public("rows.jsonl", data, ["language"])
    closure = of_bytes(name.encode())
    job = Job("evaluate", Ref("Evaluation", name), closure, {"checks": []}, seed=7)
    result = Result(
        closure=closure,
        type="evaluate",
        status="ok",
        started_at="2026-11-22T08:00:00Z",
        finished_at="2026-11-22T08:01:00Z",
        measurements=(Measurement("accuracy", 0.75, len(rows)),),
        artifacts=(Artifact("rows.jsonl", of_bytes(data), len(data)),),
        environment={},
    )
    begun = canonical(started.started(job, {}, of_bytes(data)[7:39], "2026-11-22T08:00:00Z"))
    links = Links(of_bytes(begun), disclosed={"rows.jsonl": form.digest}, columns=("language",))
    ended = canonical(statement(result, job, {}, links))
    return signed(begun, signer), signed(ended, signer), form.data


def signed(payload: bytes, *signers: PemSigner) -> bytes:
    """An entry."""
    return dsse.encode(dsse.sign(IN_TOTO, payload, signers))


def some_rows(count: int) -> list[dict[str, Any]]:
    """Rows of a judged suite."""
    return [
        {
            "id": f"q-{i}", "case": of_bytes(str(i).encode()), "input": f"question {i}",
            "expected": "x", "response": "x", "columns": {"language": "en" if i % 3 else "zh"},
            "cells": {"accuracy": {"value": float(i % 4 > 0), "valid": True, "reason": ""}},
        }
        for i in range(count)
    ]  # fmt: skip


def logs() -> Iterator[tuple[str, Made]]:
    """Every log, by name."""
    first = keyring.signed(root(), OWNER)
    begun, ended, form = run("quality", some_rows(8), RUNNER)
    good = Made((first, begun, ended), (form,))
    yield "good", good
    yield from _keys(good, form)
    yield from _roots(good)
    yield from _texts(good)
    yield "run-without-its-start", replace(good, entries=(first, ended), reason="order")
    yield "run-before-its-start", replace(good, entries=(first, ended, begun), reason="order")
    yield "entry-twice", replace(good, entries=(*good.entries, ended), reason="order")
    yield "blob-gone", replace(good, blobs=(), reason="incomplete")
    gone = redaction(of_bytes(form), "asked for", "2026-11-23T08:00:00Z", GATE)
    yield "blob-taken-away", replace(good, entries=(*good.entries, gone), blobs=())
    late = redaction(of_bytes(form), "asked for", "2999-11-23T08:00:00Z", GATE)
    yield "from-tomorrow", replace(good, entries=(*good.entries, late), blobs=(), reason="order")
    other = draft(replace(root(), roles={**root().roles, "release": granted(OWNER)}))
    yield "another-root", replace(good, pin=other.digest, reason="key")


def _keys(good: Made, form: bytes) -> Iterator[tuple[str, Made]]:
    """By whom it is signed."""
    first = good.entries[0]
    for name, signer in (
        ("gate", GATE), ("stranger", STRANGER), ("ended-key", ENDED), ("revoked-key", GONE),
        ("owner", OWNER),
    ):  # fmt: skip
        begun, ended, _ = run("quality", some_rows(8), signer)
        reason = "" if signer is GATE else "key"
        yield f"run-by-{name}", replace(good, entries=(first, begun, ended), reason=reason)
    for name, signer in (
        ("runner", RUNNER), ("stranger", STRANGER), ("ended-key", ENDED), ("revoked-key", GONE),
    ):  # fmt: skip
        yield f"sealed-by-{name}", replace(good, sealer=signer, reason="key")
    gone = redaction(of_bytes(form), "asked for", "2026-11-23T08:00:00Z", RUNNER)
    entries = (*good.entries, gone)
    yield "redaction-by-runner", replace(good, entries=entries, blobs=(), reason="key")
    both = dsse.decode(good.entries[2])
    signers = (RUNNER, STRANGER)
    entries = (*good.entries[:2], signed(both.payload, *signers))
    yield "a-stranger-signs-too", replace(good, entries=entries, reason="key")


def _roots(good: Made) -> Iterator[tuple[str, Made]]:
    """Roots that follow, and roots that do not."""
    one, rest = root(), good.entries[1:]
    two = draft(keyring.after(one, roles={**one.roles, "root": granted(SECOND)}))
    first = keyring.signed(one, OWNER)
    for name, signers, reason in (
        ("second-root", (SECOND,), ""), ("second-root-by-both", (OWNER, SECOND), ""),
        ("second-root-by-nobody-new", (OWNER,), "key"),
        ("second-root-by-a-stranger", (STRANGER,), "key"),
        ("second-root-by-the-gate", (GATE,), "key"),
    ):  # fmt: skip
        entries = (first, keyring.signed(two, *signers), *rest)
        yield name, replace(good, entries=entries, reason=reason)
    yield (
        "pinned-by-the-second-root",
        replace(good, entries=(first, keyring.signed(two, SECOND), *rest), pin=two.digest),
    )
    three = draft(replace(two, version=3))
    entries = (first, keyring.signed(three, SECOND), *rest)
    yield "a-root-left-out", replace(good, entries=entries, reason="key")
    taken = draft(keyring.after(one, revoked={}))
    entries = (first, keyring.signed(taken, OWNER), *rest)
    yield "a-revoked-key-back", replace(good, entries=entries, reason="key")
    lost = {**one.revoked, RUNNER.key: Revoked("2026-03-01T00:00:00Z", "stolen")}
    entries = (first, *rest, keyring.signed(draft(keyring.after(one, revoked=lost)), OWNER))
    yield "runner-revoked-afterwards", replace(good, entries=entries, reason="key")
    later = {**one.revoked, RUNNER.key: Revoked("2026-12-01T00:00:00Z", "left")}
    entries = (first, *rest, keyring.signed(draft(keyring.after(one, revoked=later)), OWNER))
    yield "runner-revoked-from-later-on", replace(good, entries=entries)
    yield "no-root-first", replace(good, entries=(*rest, first), reason="key")


def _texts(good: Made) -> Iterator[tuple[str, Made]]:
    """The same said in other bytes, and other bytes below the same seal."""
    first, begun, ended = good.entries
    said = json.loads(ended)
    spaced = (json.dumps(said, sort_keys=True)).encode()
    yield "json-with-blanks", replace(good, entries=(first, begun, spaced), reason="tampered")
    loose = {**said, "payload": said["payload"] + "\n"}
    entries = (first, begun, canonical(loose))
    yield "base64-with-a-newline", replace(good, entries=entries, reason="tampered")
    top = merkle.root(map(merkle.leaf, good.entries))
    short = checkpoint.sign(ORIGIN, 2, merkle.root(map(merkle.leaf, good.entries[:2])), GATE)
    yield "older-seal", replace(good, seal=short, reason="tampered")
    longer = checkpoint.sign(ORIGIN, 4, top, GATE)
    yield "seal-of-more", replace(good, seal=longer, reason="incomplete")
    other = checkpoint.sign(ORIGIN, 3, bytes(32), GATE)
    yield "seal-of-other-entries", replace(good, seal=other, reason="tampered")
    seal = checkpoint.sign(ORIGIN, 3, top, GATE)
    for name, made in (
        ("seal-with-a-blank-line", seal + b"\n"), ("seal-with-crlf", seal.replace(b"\n", b"\r\n")),
        ("seal-with-a-zero", seal.replace(b"\n3\n", b"\n03\n")),
        ("seal-broken", seal[:-6] + (b"B" if seal[-6:-5] != b"B" else b"C") + seal[-5:]),
    ):  # fmt: skip
        yield name, replace(good, seal=made, reason="tampered")


# ---- claims --------------------------------------------------------------------------------------


def claims() -> Iterator[dict[str, Any]]:
    """Claims on made-up rows: shares, means, percentiles, invalid cells, groups."""
    rng = random.Random(7)
    for number in range(60):
        kind = ("binary", "score", "percentile", "cut")[number % 4]
        yield one_claim(rng, kind)


def one_claim(rng: random.Random, kind: str) -> dict[str, Any]:
    """A claim, its rows as (case, value, group), and what it comes to."""
    n, level = rng.choice((10, 50, 90)), rng.choice((0.05, 0.025, 0.0125))
    values = [_value(rng, kind) for _ in range(n)]
    middle = sum(values) / n
    side = rng.choice(("min", "max"))
    bound = round(middle + rng.choice((-0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5)) * (middle or 1), 2)
    top = 10_000.0 if kind == "percentile" else 1.0
    check: dict[str, Any] = {
        "name": "a",
        "metric": {"binary": "builtin/accuracy", "percentile": "builtin/latency_ms"}.get(
            kind, "builtin/token_f1"
        ),
        "require": {side: min(max(bound, 0.0), top)},
    }
    if kind == "percentile":
        check["statistic"] = rng.choice(("p50", "p90", "p95"))
    if kind == "cut":
        check["pass_at"] = 0.5
    allowed = rng.choice((0.0, 0.0, 0.1))
    invalid = rng.sample(range(n), rng.choice((0, 0, 0, n // 20)))
    rows = [
        {
            "id": str(i), "case": of_bytes(f"{kind}{i}".encode())[:23],
            "cells": {"a": {"value": None if i in invalid else v, "valid": i not in invalid}},
        }
        for i, v in enumerate(values)
    ]  # fmt: skip
    scale = scale_of(check)
    raw = scale_of({k: v for k, v in check.items() if k not in ("pass_at", "require")})
    question = Question(
        gate="Evaluation/q/a", metric=check["metric"], scale=scale, bound=check["require"],
        alpha=level, dataset="bank", split="test", errors_allowed=allowed,
        statistic=check.get("statistic", ""),
    )  # fmt: skip
    found = decide(question, cells(rows, check))
    terms = Terms(
        check="a", metric=check["metric"], kind=scale.kind, lower=raw.lower, upper=raw.upper,
        at_least=check["require"].get("min"), at_most=check["require"].get("max"),
        gate=question.gate, dataset="bank", split="test", errors_allowed=allowed,
        pass_at=check.get("pass_at"), statistic=question.statistic,
    )  # fmt: skip
    literal = found.literal or said(found.value, check["require"])
    return {
        "terms": plain(terms),
        "level": plain(level),
        "rows": rows,
        "n": found.n,
        "value": found.value,
        "assured": found.outcome.word if found.value is not None else "",
        "literal": literal,
    }


def _value(rng: random.Random, kind: str) -> float:
    if kind == "binary":
        return float(rng.random() < 0.8)
    if kind == "percentile":
        return round(rng.lognormvariate(5, 0.5), 1)
    return round(rng.betavariate(4, 1), 3)


def files() -> dict[str, bytes]:
    """All that is written, by name."""
    made = dict(logs())
    told = {
        name: {"root": one.pin, "reason": one.reason or None} for name, one in sorted(made.items())
    }
    rows = [json.dumps(one, ensure_ascii=False) for one in claims()]
    return {
        **{f"{name}.zip": one.bundle() for name, one in made.items()},
        "logs.json": (json.dumps(told, indent=1) + "\n").encode(),
        "claims.json": ("[\n" + ",\n".join(rows) + "\n]\n").encode(),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, data in files().items():
        (FOLDER / name).write_bytes(data)
