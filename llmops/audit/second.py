"""A second verifier, for whoever does not want to believe the first: one file, nothing but Python.

    python second.py BUNDLE.zip --root sha256:<hex>  (exit 0 agrees, 1 does not, 2 usage, 3 unread)

It shares no code with `llmops verify` and is written from RFC 8032, DSSE v1.0.2, RFC 6962, C2SP
notes, Clopper and Pearson 1934, Voracek and Orabona 2025 (arXiv 2505.22422). It checks every byte
of the container, roots from one that you know, each signature, the log, what digests name; then it
counts the rows of each claim again; comparisons, corrected claims and pages it leaves out.
"""

from __future__ import annotations

import io
import json
import math
import sys
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import lru_cache, reduce
from hashlib import sha1, sha256, sha512
from itertools import accumulate, repeat
from types import SimpleNamespace
from typing import Any

IN_TOTO, ROOT = "application/vnd.in-toto+json", "application/vnd.llmops.root+json"
OURS = "https://llmops.dev/%s/v1"
RUN, REPORT, GONE = OURS % "run", OURS % "eval-report", OURS % "redaction"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY, BUILD = "https://slsa.dev/verification_summary/v1", "https://slsa.dev/provenance/v1"
STARTED, AUDIT = OURS % "run-started", OURS % "reuse-audit"
MACHINES = RUN, BUILD, STARTED, AUDIT  # a runner may sign; else gate
WHEN = {  # where a statement says when it was made; the log's clock is the latest of them so far
    STARTED: "startedAt", RUN: "result/finished_at", SUMMARY: "timeVerified", RESULT: "",
    BUILD: "runDetails/metadata/finishedOn", REPORT: "given/judged_at", GONE: "redactedAt",
    OURS % "ledger": "entry/recorded_at entry/judged_at entry/granted_at",
    OURS % "approval": "seen_at", OURS % "policy-change": "seen_at", AUDIT: "audited_at",
}  # fmt: skip
WORDS = ("passed", "warned", "inconclusive", "failed")  # the worst last
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = (4 * pow(5, -1, P) % P).to_bytes(32, "little")
Point = tuple[int, int, int, int]  # (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z
ZERO: Point = (0, 1, 1, 0)
NEVER = "9999-12-31T00:00:00Z"
SHAPELESS = KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError
BY = "dataset", "split", "gate"  # and the case: bets go in the order of their digest
SIDES = ("min", "at_least"), ("max", "at_most")
UNREAD = OSError, zipfile.BadZipFile


class Wrong(Exception):
    """Something is not as it must be: the reason, as `llmops verify` names it, and the words."""


def expect(holds: object, reason: str, words: str) -> None:
    """Raise unless something holds."""
    if not holds:
        raise Wrong(reason, words)


def add(p: Point, q: Point) -> Point:
    """The sum of two points (RFC 8032, 5.1.4); it is complete, so it doubles too."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] % P * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


@lru_cache(maxsize=64)
def table(data: bytes) -> list[list[Point]]:
    """All d * 256^i times a key (5.1.3), d below 256, i below 32. Raises ValueError for no key."""
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * pow(2, (P - 1) // 4, P) % P
    base, found = (x if x % 2 == sign else P - x, y, 1, 0), list[list[Point]]()
    base = (*base[:3], base[0] * y % P)
    for _ in range(32):
        found.append(list(accumulate([base] * 255, add, initial=ZERO)))
        base = add(found[-1][-1], base)
    if len(data) != 32 or y >= P or v * x * x % P != u or found[0][8][0] == 0:
        raise ValueError("no key: no point of the curve, or one of small order")
    return found


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether R = S B - k A, byte for byte (5.1.7, without the cofactor)."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= L:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    found = ZERO
    for rows, number in ((table(BASE), s), (table(public), L - k)):
        for row, digit in zip(rows, number.to_bytes(32, "little"), strict=True):
            found = add(found, row[digit]) if digit else found
    x, y = (one * pow(found[2], -1, P) % P for one in found[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def canonical(value: Any) -> bytes:
    """JSON of what holds no number, as RFC 8785 writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def envelope(data: bytes, what: str) -> Any:
    """A DSSE envelope in its one text: its payload, who signed it, and what they signed."""
    said = json.loads(data)
    payload, kind = b64decode(said["payload"]), str(said["payloadType"])
    made = {one["keyid"]: b64decode(one["sig"]) for one in said["signatures"]}
    coded = [{"keyid": key, "sig": b64encode(made[key]).decode()} for key in sorted(made)]
    once = {"payload": b64encode(payload).decode(), "payloadType": kind, "signatures": coded}
    expect(canonical(once) == data and made, "tampered", f"{what}: not as envelopes are written")
    one = SimpleNamespace(what=what, data=data, made=made, digest=sha256(payload).hexdigest())
    one.message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    one.body = json.loads(payload, parse_constant=dict[str, Any]().__getitem__)
    one.kind = one.body["predicateType"] if kind == IN_TOTO else kind
    return one


def hold(one: Any, keys: Mapping[str, Any]) -> None:
    """Raise unless every signature is that of its key."""
    for key, value in one.made.items():
        good = key in keys and signed(b64decode(keys[key]["public"]), one.message, value)
        expect(good, "tampered" if key in keys else "key", f"{one.what}: signed by key {key}")


def may(keys: Sequence[str], roles: Sequence[str], at: datetime, root: Any, what: str) -> None:
    """Raise unless all keys have one of the roles at a time."""
    for key in keys:
        said, gone = root["keys"].get(key), root["revoked"].get(key)
        held = [name for name in roles if key in root["roles"].get(name, {"keys": ()})["keys"]]
        expect(said and (held or not roles), "key", f"{what}: key {key} has no role of {roles}")
        ends = said["from"], said["until"] or NEVER, gone["at"] if gone else NEVER
        since, until, revoked = map(datetime.fromisoformat, ends)
        expect(since <= at < min(until, revoked), "key", f"{what}: key {key} holds not at {at}")


def follows(one: Any, before: Any) -> None:
    """Raise unless a root may come after another (None: may be the first)."""
    olds = [one.body] if before is None else [one.body, before.body]
    due = (1, None) if before is None else (before.body["version"] + 1, f"sha256:{before.digest}")
    expect((one.body["version"], one.body["previous"]) == due, "key", f"{one.what}: a root is gone")
    for key, said in one.body["keys"].items():
        der = bytes.fromhex("302a300506032b6570032100") + b64decode(said["public"])
        expect(sha256(der).hexdigest() == key and table(der[12:]), "key", f"{key} is no key's id")
    hold(one, {key: said for body in olds for key, said in body["keys"].items()})
    for body in olds:
        role = body["roles"]["root"]
        enough = 1 <= role["threshold"] <= len(one.made.keys() & set(role["keys"]))
        expect(enough, "key", f"{one.what}: not signed by enough owners")
    for key, gone in olds[-1]["revoked"].items():
        still = one.body["revoked"].get(key, {"at": NEVER})["at"] <= gone["at"]
        expect(still, "key", f"{one.what}: key {key} was revoked and counts again")


def follow(entries: Mapping[int, bytes], pin: str, now: datetime) -> tuple[list[Any], list[Any]]:
    """Roots and entries of a log, from its first on: who signed each, and when."""
    roots, found, clock = list[Any](), list[Any](), datetime(1970, 1, 1, tzinfo=UTC)
    for number in range(len(entries)):
        expect(number in entries, "incomplete", f"entry {number} is gone")
        one = envelope(entries[number], f"entry {number}")
        if one.kind == ROOT:
            follows(one, roots[-1] if roots else None)
            roots.append(one)
            since = (datetime.fromisoformat(key["from"]) for key in one.body["keys"].values())
            clock = max(clock, *(at if at <= now else clock for at in since))
        else:
            expect(one.kind in WHEN, "unreadable", f"{one.what}: {one.kind} is not known")
            expect(roots, "key", f"{one.what}: there is no trust root before it")
            for path in map(str.split, WHEN[one.kind].split(), repeat("/")):
                at = reduce(lambda said, step: (said or {}).get(step), path, one.body["predicate"])
                clock = max(clock, datetime.fromisoformat(at)) if at else clock
            hold(one, roots[-1].body["keys"])
        one.at, one.root, one.number = clock, roots[-1].body, number
        found.append(one)
    expect(pin in [one.digest for one in roots], "key", "no trust root of it is one that you know")
    expect(clock <= now, "order", f"the log is from tomorrow: {clock}")
    expect(len({one.digest for one in found}) == len(found), "order", "an entry is there twice")
    for one in found:
        roles, newest = ["gate", "runner"][: 1 + (one.kind in MACHINES)], roots[-1].body
        may([] if one.kind == ROOT else list(one.made), roles, one.at, one.root, one.what)
        known = [] if one.kind == ROOT else [key for key in one.made if key in newest["keys"]]
        may(known, [], one.at, newest, one.what)  # what was taken back since was never good
    return roots, found


def merkle(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (RFC 6962, 2.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1" + merkle(leaves[:cut]) + merkle(leaves[cut:])).digest()


def sealed(data: bytes, roots: Sequence[Any], at: datetime) -> tuple[str, int, str]:
    """Origin, size and root of a note that one key signed in the log's name, and nobody else."""
    origin, size, root, _, line = data.decode().split("\n")[:5]
    text, value = f"{origin}\n{int(size)}\n{root}\n", b64decode(line.rpartition(" ")[2])
    whole = f"{text}\n\N{EM DASH} {origin} {b64encode(value).decode()}\n".encode() == data
    expect(whole, "tampered", "checkpoint: it is not a note with one signature, byte for byte")
    for key in roots[-1].body["roles"]["log"]["keys"]:
        public = b64decode(roots[-1].body["keys"][key]["public"])
        if sha256(origin.encode() + b"\n\1" + public).digest()[:4] == value[:4]:
            may([key], ["log"], at, roots[-1].body, "checkpoint")
            expect(signed(public, text.encode(), value[4:]), "tampered", "checkpoint: signature")
            return origin, int(size), root
    raise Wrong("key", "checkpoint: no key that may sign for the log signed it")


def tail(k: int, n: int, p: Decimal) -> Decimal:
    """P(X >= k) of the events among n, each with probability p: every term, to 60 digits."""
    if k <= 0 or k > n or not 0 < p < 1:
        return Decimal(k <= 0 or (k <= n and p >= 1))
    with localcontext(prec=60, Emin=-(10**9), Emax=10**9):
        term = total = math.comb(n, k) * p**k * (1 - p) ** (n - k)
        for i in range(k, n):
            term = term * (n - i) * p / ((i + 1) * (1 - p))
            total += term
        return total


def share(k: int, n: int, t: Decimal, alpha: Decimal) -> tuple[bool, bool]:
    """Whether a share of at least t is shown, and refuted, by its exact one-sided bounds."""
    return t <= 0 or tail(k, n, t) <= alpha, tail(n - k, n, 1 - t) < alpha


def star(xs: Sequence[float], m: float, a: float, b: float, alpha: float) -> bool:
    """Whether "the mean is at most m" is rejected (STaR-Bets, one pass in the order given)."""
    mm, target, wealth = (m - a) / (b - a), math.log(1 / alpha) + 1e-9, 0.0
    s, s2, v = 0.5, 0.25, 0.25
    for t, x in enumerate(xs if mm > 0 else ()):
        y = (x - a) / (b - a)
        bet = min(math.sqrt(2 * (target - wealth) / ((len(xs) - t) * v)), 0.99 / mm)
        wealth += math.log1p(bet * (y - mm))
        if wealth >= target:
            return True
        s += y
        s2 += (y - s / (t + 2)) ** 2
        v = s2 / (t + 2)
    return bool(xs) and mm < 0


def valued(cell: Mapping[str, Any], told: Mapping[str, Any]) -> float | None:
    """What a cell counts as; None where the metric cannot have it."""
    x: Any = cell.get("value")
    good = cell.get("valid") is True and type(x) in (int, float) and math.isfinite(x)
    if not good or not float(told["lower"] or "-inf") <= x <= float(told["upper"] or "inf"):
        return None
    if told["pass_at"] is not None:
        return float(x >= float(told["pass_at"]))
    return float(x) if told["kind"] != "binary" or x in (0, 1) else None


def claim(told: Mapping[str, Any], alpha: str, rows: Sequence[Any]) -> tuple[Any, ...]:
    """A claim again: n, value, and what its bound (`assured`) and the number (`literal`) say."""
    if column := told["column"]:
        of = [(row, row.get("columns", {}).get(column)) for row in rows]
        rows = [row for row, v in of if ("(none)" if v is None else str(v)) == told["group"]]
    cells = [(str(row["case"]), row["cells"].get(told["check"], {})) for row in rows]
    if told["metric"].startswith("giskard/"):  # what changes nothing says nothing
        cells = [c for c in cells if c[1].get("applies") is not False or c[1]["valid"] is not True]
    by_case, n = {case: valued(cell, told) for case, cell in cells}, len(cells)
    known = sorted(x for x in by_case.values() if x is not None)
    binary, q = told["kind"] == "binary", Decimal(told["statistic"][1:] or 0) / 100
    lost = n - len(known) > float(told["errors_allowed"]) * n or len(by_case) < n
    if lost or not (known if q else n) or (told["kind"] == "unbounded" and not q):
        return n, None, "", ""
    bounds = [(side, Decimal(told[key])) for side, key in SIDES if told[key] is not None]
    level, rate, said = Decimal(alpha), float(alpha), list[tuple[bool, bool, bool]]()
    if q:
        ((side, t),) = bounds
        k = sum(x <= float(t) if side == "max" else x >= float(t) for x in known)
        rank, middle = max(math.ceil(q * n), 1), known[math.ceil(q * len(known)) - 1]
        point = k >= (rank if side == "max" else n - rank + 1)
        said.append((*share(k, n, q if side == "max" else 1 - q, level), point))
    else:
        a, b = (0.0, 1.0) if binary else (float(told["lower"]), float(told["upper"]))
        worst, head = a if bounds[0][0] == "min" else b, [*map(told.get, BY)]
        key = {case: sha256(canonical([*head, case])).digest() for case in by_case}
        ranked = sorted(by_case, key=key.__getitem__)
        xs = [worst if (x := by_case[case]) is None else x for case in ranked]
        back, middle = [a + b - x for x in xs], math.fsum(xs) / n
    for side, t in bounds if not q else ():  # at most t: the rest is at least the rest of t
        ys, zs = (xs, back) if side == "min" else (back, xs)
        v = float(u := t if side == "min" else Decimal(a) + Decimal(b) - t)
        tests = star(ys, v, a, b, rate), star(zs, a + b - v, a, b, rate)
        both = share(ys.count(b), n, u, level) if binary else tests
        said.append((*both, math.fsum(ys) / n - v >= -1e-12 * abs(float(t))))
    word = WORDS[3 if any(one[1] for one in said) else 2 * (not all(one[0] for one in said))]
    return n, middle, word, "passed" if all(one[2] for one in said) else "failed"


def judged(number: int, found: Sequence[Any], leaves: Sequence[bytes], blobs: Any) -> str:
    """The verdict at an entry: what it rests on, each claim on rows again, what says the same."""
    one = found[number]
    said, given = one.body["predicate"], one.body["predicate"]["given"]
    size, runs, again = int(given["log_size"]), {}, 0
    late = [e for e in found[size:number] if e.kind == RUN or b'"kind":"attempt"' in e.message]
    expect(size <= number and not late, "order", f"{one.what}: it was not judged on all before it")
    expect(merkle(leaves[:size]).hex() == given["log_root"], "fork", f"{one.what}: of another log")
    for run in given["runs"].values():
        kept = found[int(run["entry"])] if int(run["entry"]) < size else one
        expect((kept.kind, kept.digest) == (RUN, run["sha256"]), "order", f"{one.what}: not {run}")
        runs["sha256:" + kept.digest] = kept.body["predicate"].get("disclosed", {})
    for place, told in enumerate(said["findings"]):
        where = f"{one.what}, findings/{place} ({told['gate']})"
        if told["tested"] is None or told["quality"] is not None:
            continue
        expect(told["evidence"] in runs, "verdict", f"{where}: it rests on no run")
        name = runs[told["evidence"]]["rows.jsonl"][7:]
        if name not in blobs:  # it was taken away, by an entry
            continue
        rows = [json.loads(line) for line in blobs[name].splitlines()[1:]]
        made = claim(told["tested"], told["level"], rows)
        n, value, *words = map(told.get, ("n", "value", "assured", "literal"))
        fits = made == (int(n), value and float(value), *words)
        expect(fits, "verdict", f"{where}: it says {value} of {n}, {words}; its rows say {made}")
        word = made[3] if said["profile"] == "literal" else made[2]
        expect(told["outcome"] in (word, *WORDS[1:3]), "verdict", f"{where}: its rows say {word}")
        again += 1
    worst = max([WORDS.index(f["outcome"]) for f in said["findings"]], default=2)
    word = WORDS[max(worst, bool(said["notes"]))]
    held, after = word in WORDS[:2], found[number + 1 : number + 3]
    expect([e.kind for e in after] == [RESULT, SUMMARY], "incomplete", f"{one.what}: it is alone")
    up, (t, v) = word.upper() if held else "FAILED", [each.body["predicate"] for each in after]
    says = [t["llmops_outcome"], t["result"], v["verificationResult"], *v["verifiedLevels"]]
    must = [word, up, "PASSED" if held else up, f"LLMOPS_GATE_{up}" if held else up]
    same = says == must and t["configuration"][-1]["digest"]["sha256"] == one.digest
    same = same and all(each.body["subject"] == one.body["subject"] for each in after)
    expect(same and said["outcome"] == word, "verdict", f"{one.what}: not all of it says {word}")
    return f"entry {number}: {word}; {again} of {len(said['findings'])} findings again from rows"


def container(data: bytes) -> dict[str, bytes]:
    """The files of a zip that is written as bundles are: stored, sorted, nothing between."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        listed = opened.infolist()
        expect(not any(one.compress_type for one in listed), "unreadable", "it is compressed")
        found = {one.filename: opened.read(one) for one in listed}
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as made:
        for name in sorted(found):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            made.writestr(info, found[name])
    expect(again.getvalue() == data, "tampered", "its frame is not written as that of a bundle is")
    return found


def verify(data: bytes, pin: str, now: datetime | None = None) -> Iterator[str]:
    """All of a bundle. Raises Wrong for the first thing that is not as it must be."""
    files = container(data)
    entries = {int(path[-13:-5]): files[path] for path in files if path.startswith("log/entries/")}
    blobs = {sha256(files[path]).hexdigest(): files[path] for path in files if "/blobs/" in path}
    ids = {sha1(files[path]).hexdigest() for path in files if path.startswith("objects/")}
    due = {f"log/entries/{number // 1000:05}/{number:08}.json" for number in entries}
    due |= {f"log/blobs/sha256/{one[:2]}/{one}" for one in blobs}
    due |= {f"objects/{one[:2]}/{one[2:]}" for one in ids} | {"log/checkpoint"}
    odd = sorted(due ^ {path for path in files if path.startswith(("log/", "objects/"))})
    expect(not odd, "tampered", f"{odd[:1]} is not what it is called, or twice")
    roots, found = follow(entries, pin, now or datetime.now(UTC))
    origin, size, text = sealed(files["log/checkpoint"], roots, found[-1].at)
    leaves = [sha256(b"\0" + one.data).digest() for one in found]
    listed = {p: sha256(files[p]).hexdigest() for p in files if p != "bundle.json"}
    said = {"format_version": 1, "origin": origin, "size": size, "root": text, "files": listed}
    expect(canonical(said) == files["bundle.json"], "tampered", "bundle.json: not the list of it")
    expect(size <= len(leaves), "incomplete", f"the checkpoint seals {size}, not {len(leaves)}")
    expect(b64encode(merkle(leaves)).decode() == text, "tampered", "other entries than were sealed")
    yield f"log {origin}: {size} entries by {len(roots)} roots, under {text}; {len(files)} files"
    counts = {[e.kind for e in found].count(kind) for kind in (REPORT, RESULT, SUMMARY)}
    expect(len(counts) == 1, "incomplete", "a statement of a verdict is gone")
    starts = {e.digest: e.number for e in found if e.kind == STARTED}
    gone = [e.body["subject"][0]["digest"]["sha256"] for e in found if e.kind == GONE]
    for one in (e for e in found if e.kind == RUN):
        began, shown = map(one.body["predicate"].get, ("started", "disclosed"))
        expect(not began or starts.get(began[7:], size) < one.number, "order", f"{one.what}: early")
        lost = {name[7:] for name in (shown or {}).values()} - blobs.keys() - {*gone}
        expect(not lost, "incomplete", f"{one.what}: blobs {lost} are not here")
    yield from (judged(n, found, leaves, blobs) for n, e in enumerate(found) if e.kind == REPORT)


def main(words: Sequence[str]) -> int:
    """The command."""
    if len(words) != 3 or words[1] != "--root":
        print(__doc__)
        return 2
    try:
        with open(words[0], "rb") as file:
            print(*verify(file.read(), words[2].removeprefix("sha256:")), "agrees", sep="\n")
        return 0
    except (Wrong, *UNREAD, *SHAPELESS) as error:
        print(f"not verified: {error!r}")
        return 3 if isinstance(error, UNREAD) or error.args[:1] == ("unreadable",) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
