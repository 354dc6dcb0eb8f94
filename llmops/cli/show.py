"""`llmops show run|evidence|case|attempts|data ID`: one thing, whole, as it is kept.

`evidence`: a statement by the first digits of its digest or closure. `run`: the folder of a job,
by closure or by name (`train/support-lora`), also while it works. `case`: one question, answered by
base and by head, with every check's cell and reason. `attempts`: every claim whose gate has ID in
its name, with its attempts, and how often rows were looked at. `data`: a Dataset of the work tree,
curated here and now: rows, repetitions, leaks. What stands in rows is somebody else's text: nothing
of it drives the terminal.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmops.cli import common, show_attempts, show_data
from llmops.cli.output import columns
from llmops.diagnostics import did_you_mean, printable
from llmops.digest import PATTERN, short
from llmops.errors import StoreError, UsageError
from llmops.evidence.rows import rows_of
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store
from llmops.executors.folder import CLAIMS, RunFolder
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.jobs.wire import to_json
from llmops.pipeline import Planned, make_plan
from llmops.project import Project

EXAMPLES = """\
  llmops show case test-0001 --base main
  llmops show attempts accuracy
  llmops show data bank-support"""
LOG_LINES = 20


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `show`."""
    parser.add_argument("what", choices=tuple(_SHOWN), help="what ID names")
    parser.add_argument(
        "id", metavar="ID", nargs="?",
        help="a digest's first digits, a job, a case's id, a part of a gate's name, or a Dataset",
    )  # fmt: skip
    parser.add_argument("--case", metavar="ID", help="with evidence: only this case of its rows")
    common.add_trees(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 2 for what is not there."""
    if args.case is not None and args.what != "evidence":
        raise UsageError("--case goes with evidence")
    if args.id is None and args.what != "attempts":
        raise UsageError(f"{args.what} of what? say its ID", hint="llmops show --help")
    found = common.project(args)
    collect, text = _SHOWN[args.what]
    shown = collect(found, args)
    if args.format == "json":
        common.say(json.dumps({"format_version": 1, **shown}, ensure_ascii=False, indent=2))
    else:
        common.say("\n".join(text(shown)))
    return 0


# ---- evidence ----------------------------------------------------------------------------------


def _evidence(found: Project, args: argparse.Namespace) -> dict[str, Any]:
    kept = _kept(found.store, args.id)
    if args.case is not None:
        row = _row(_rows(found.store, kept.closure), args.case)
        return {"evidence": kept.digest, "subject": str(kept.subject), "row": row}
    missing = found.store.missing(kept.closure)
    return {
        "evidence": kept.digest,
        "closure": kept.closure,
        "type": kept.type,
        "subject": str(kept.subject),
        "inputs": dict(kept.inputs),
        "result": to_json(kept.result),
        "missing": sorted(missing),
    }


def _kept(store: Store, wanted: str) -> Evidence:
    """The one statement whose digest or closure begins so. Raises UsageError."""
    prefix = wanted.removeprefix("sha256:").lower().rstrip("…")
    if not PATTERN.fullmatch(f"sha256:{prefix.ljust(64, '0')}") or not prefix:
        raise UsageError(
            f'"{printable(wanted)}" is no digest', hint="write its first digits, as in sha256:3f9c"
        )
    every = store.proven()
    found = {
        kept.digest: kept
        for closure, kept in every.items()
        if closure[7:].startswith(prefix) or kept.digest[7:].startswith(prefix)
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        hint = f"{len(every)} statements are kept; llmops plan names those that are reused"
        raise UsageError(f'no evidence begins with "{prefix}"', hint=hint)
    told = ", ".join(f"{short(d)} ({k.type}/{k.subject.name})" for d, k in found.items())
    raise UsageError(f'"{prefix}" begins several digests', hint=f"say more: {told}")


def _rows(store: Store, closure: str) -> Sequence[Mapping[str, Any]]:
    rows = rows_of(store)(closure)
    if rows is None:
        raise StoreError(
            f"{short(closure)} has no rows that can be read",
            hint="the evidence of an evaluate, scan or guard job has rows",
        )
    return rows


def _row(rows: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    found = [row for row in rows if _is(row, wanted)]
    if found:
        return found[0]
    known = [str(row["id"]) for row in rows]
    hint = did_you_mean(wanted, known, otherwise=f"{len(known)} cases, as in {known[:3]}")
    raise UsageError(f'no case is called "{printable(wanted)}"', hint=hint)


def _is(row: Mapping[str, Any], wanted: str) -> bool:
    digest = str(row["case"]).removeprefix("sha256:")
    prefix = wanted.removeprefix("sha256:")
    return str(row["id"]) == wanted or (len(prefix) >= 8 and digest.startswith(prefix))


def _evidence_text(shown: Mapping[str, Any]) -> Iterator[str]:
    if "row" in shown:
        yield f"{shown['subject']}, evidence {short(shown['evidence'])}"
        yield from _row_lines(shown["row"])
        return
    result = shown["result"]
    yield f"{shown['type']} {shown['subject']}: {_status(result)}"
    yield f"evidence  {shown['evidence']}"
    yield f"closure   {shown['closure']}"
    yield f"ran       {result['started_at']} to {result['finished_at']}"
    yield from _table("measured", _measurements(result))
    yield from _table("artifacts", _artifacts(result, shown["missing"]))
    yield from _table("inputs", [(name, digest) for name, digest in shown["inputs"].items()])
    yield from _table("environment", _flat(result["environment"]))
    yield from _table("used", _flat(result["resources_used"]))


def _status(result: Mapping[str, Any]) -> str:
    reason = f": {printable(result['reason'], 400)}" if result["reason"] else ""
    return f"{result['status']}{reason}"


def _measurements(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (one["metric"], f"{one['value']:.6g}", f"n {one['sample_size']:,}", _tool(one))
        for one in result["measurements"]
    ]


def _tool(one: Mapping[str, Any]) -> str:
    return f"{one['tool']} {one['version']}".strip()


def _artifacts(result: Mapping[str, Any], missing: Sequence[str]) -> list[tuple[str, ...]]:
    return [
        (
            one["name"],
            f"{one['size_bytes']:,} B",
            short(one["digest"]),
            "gone or altered" if one["name"] in missing else "",
        )
        for one in result["artifacts"]
    ]


def _flat(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            found += [(f"{name}.{key}", rest) for key, rest in _flat(inner)]
        else:
            found.append((str(name), str(inner)))
    return found


def _table(heading: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield heading
        clean = [tuple(printable(cell, 120) for cell in row) for row in rows]
        yield from (f"  {line}" for line in columns(clean, 80))


# ---- a run -------------------------------------------------------------------------------------


def _run(found: Project, args: argparse.Namespace) -> dict[str, Any]:
    path = _folder(found.store, args.id)
    folder = RunFolder(path)
    job = _json_of(path / "job.json")
    closure = f"sha256:{path.name}"
    kept = found.store.evidence(closure)
    return {
        "closure": closure,
        "job": job.get("id", ""),
        "state": _state(folder, path, kept),
        "evidence": kept.digest if kept else None,
        "folder": path.relative_to(found.repository.root).as_posix(),
        "inputs": {n: g.get("digest", "") for n, g in job.get("inputs", {}).items()},
        "seed": job.get("seed"),
        "resources": job.get("resources", {}),
        "progress": _last_line(path / "progress.jsonl"),
        "files": dict(_files(path)),
        "log": list(folder.log(LOG_LINES)),
    }


def _folder(store: Store, wanted: str) -> Path:
    """The one run folder of that closure or job name. Raises UsageError."""
    prefix = wanted.removeprefix("sha256:").rstrip("…")
    runs = store.root / "runs"
    every = sorted(p for p in runs.iterdir() if _is_run(p)) if runs.is_dir() else []
    found = [p for p in every if prefix and p.name.startswith(prefix)]
    found = found or [p for p in every if _json_of(p / "job.json").get("id") == wanted]
    if len(found) == 1:
        return found[0]
    if not found:
        known = [str(_json_of(p / "job.json").get("id", "")) for p in every]
        hint = did_you_mean(wanted, known, otherwise="name a closure, or a job as in train/x")
        raise UsageError(f'no run is called "{printable(wanted)}"', hint=hint)
    told = ", ".join(f"{p.name[:8]} ({_when(p)})" for p in found)
    raise UsageError(f'several runs are called "{printable(wanted)}"', hint=f"say which: {told}")


def _is_run(path: Path) -> bool:
    return bool(PATTERN.fullmatch(f"sha256:{path.name}")) and not path.is_symlink()


def _when(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _state(folder: RunFolder, path: Path, kept: Evidence | None) -> str:
    if folder.is_claimed():
        return "running"
    if kept is not None:
        return f"finished, {kept.status}"
    if (path / "result.json").is_file():
        return "finished, not kept yet: the next run keeps it"
    error = folder.error()
    return f"not judged: {error.message}" if error else "stopped before it had a result"


def _files(path: Path) -> Iterator[tuple[str, int]]:
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.name not in CLAIMS:
            yield file.relative_to(path).as_posix(), file.stat().st_size


def _json_of(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _last_line(path: Path) -> Any:
    try:
        lines = path.read_bytes().splitlines()
        return json.loads(lines[-1]) if lines else None
    except (OSError, ValueError, RecursionError):
        return None


def _run_text(shown: Mapping[str, Any]) -> Iterator[str]:
    yield f"{printable(shown['job'])}: {printable(shown['state'], 400)}"
    yield f"closure   {shown['closure']}"
    if shown["evidence"]:
        yield f"evidence  {shown['evidence']}"
    yield f"folder    {shown['folder']}"
    if shown["progress"]:
        yield f"progress  {printable(json.dumps(shown['progress'], ensure_ascii=False), 300)}"
    yield from _table("inputs", [(str(n), str(d)) for n, d in shown["inputs"].items()])
    yield from _table("files", [(n, f"{size:,} B") for n, size in shown["files"].items()])
    if shown["log"]:
        yield "log, its end"
        yield from (f"  {printable(line, 300)}" for line in shown["log"])


# ---- a case ------------------------------------------------------------------------------------


def _case(found: Project, args: argparse.Namespace) -> dict[str, Any]:
    planned = make_plan(found, common.both(found, args))
    answers = [one for exam in _distinct(planned) for one in _answers(found, exam, args.id)]
    if not answers:
        known = [str(row["id"]) for rows in _all_rows(found, planned) for row in rows]
        none = "no rows are kept for this tree: llmops run" if not known else "llmops show evidence"
        hint = did_you_mean(args.id, known, otherwise=none)
        raise UsageError(f'no case is called "{printable(args.id)}"', hint=hint)
    return {"case": args.id, "answers": answers}


def _all_rows(found: Project, planned: Planned) -> Iterator[Sequence[Mapping[str, Any]]]:
    rows = rows_of(found.store)
    for exam in planned.exams:
        if exam.head is not None:
            yield rows(exam.head.job.closure) or ()


def _distinct(planned: Planned) -> Iterator[Exam]:
    """Exams without those of head that are the very same as base's."""
    seen: set[tuple[str | None, ...]] = set()
    for exam in planned.exams:
        sides = (exam.head, exam.base)
        key = tuple(made.job.closure if made is not None else None for made in sides)
        if (exam.name, *key) not in seen:
            seen.add((exam.name, *key))
            yield exam


def _answers(found: Project, exam: Exam, wanted: str) -> Iterator[dict[str, Any]]:
    """A case as one exam put it: before (base's target) and after (head's)."""
    sides = {
        "before": _answer(found, exam.base, wanted),
        "after": _answer(found, exam.head, wanted),
    }
    if any(sides.values()):
        asked = exam.name
        yield {"asked_by": asked, "target": str(exam.target), "of": exam.judged_by, **sides}


def _answer(found: Project, made: Made | None, wanted: str) -> Mapping[str, Any] | None:
    """The row of a case, with what guardrails did to it where there are some."""
    rows = rows_of(found.store)(made.job.closure) if made is not None else None
    row = next((row for row in rows or () if _is(row, wanted)), None)
    if made is None or row is None:
        return None
    met = _met(found.store, made, str(row["id"]))
    return {**row, "guard": met} if met else row


def _met(store: Store, made: Made, case: str) -> list[Mapping[str, Any]]:
    """What guardrails found in a case, as its response tells; spans, never the words."""
    for given in made.job.inputs:
        if given.job is None or given.artifact != "responses.jsonl":
            continue
        try:
            lines = store.artifact(given.job, given.artifact).read_bytes().splitlines()
            found: Any = next((r for r in map(json.loads, lines) if r["id"] == case), {})
        except (StoreError, OSError, ValueError, KeyError, TypeError, RecursionError):
            return []
        return [one for one in found.get("guard") or () if isinstance(one, dict)]
    return []


def _case_text(shown: Mapping[str, Any]) -> Iterator[str]:
    for one in shown["answers"]:
        before, after = one["before"], one["after"]
        yield f"{one['asked_by']} ({one['of']}'s), answered by {one['target']}"
        row = after or before
        yield from _question(row)
        yield from _sides(before, after)


def _question(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"  case      {printable(str(row['id']), 120)} ({short(str(row['case']))})"
    yield f"  asked     {printable(str(row['input']), 2000)}"
    if row.get("expected") is not None:
        yield f"  expected  {printable(str(row['expected']), 2000)}"
    extra = {k: v for k, v in row.get("columns", {}).items() if v not in (row["input"],)}
    told = ", ".join(f"{k}={v}" for k, v in extra.items() if v != row.get("expected"))
    if told:
        yield f"  columns   {printable(told, 400)}"


def _sides(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[str]:
    sides = [("before", before), ("after", after)]
    for name, row in sides:
        answer = "not kept" if row is None else printable(_text_of(row["response"]), 2000)
        yield f"  {name:<8}  {answer}"
        for met in row.get("guard", ()) if row is not None else ():
            words = (met.get(key, "") for key in ("action", "stage", "layer", "rule", "guardrail"))
            told = "{} of the {} by {} ({}) of Guardrail/{}".format(*words)
            yield f"            {printable(told, 300)}"
    checks = dict.fromkeys(check for _, row in sides if row is not None for check in row["cells"])
    rows = [("check", "before", "after", "reason")]
    rows += [(c, _cell(before, c), _cell(after, c), _reason(before, after, c)) for c in checks]
    clean = [tuple(printable(cell, 400) for cell in row) for row in rows]
    yield from (f"  {line}" for line in columns(clean, 60))


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(row: Mapping[str, Any] | None, check: str) -> str:
    cell = row["cells"].get(check) if row is not None else None
    if cell is None:
        return "-"
    if cell.get("applies") is False:
        return "does not apply"
    value = cell.get("value")
    return f"{value:g}" if cell.get("valid") and isinstance(value, int | float) else "invalid"


def _reason(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, check: str) -> str:
    for row in (after, before):
        if row is not None and row["cells"].get(check, {}).get("reason"):
            return str(row["cells"][check]["reason"])
    return ""


def _row_lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield from _question(row)
    yield f"  answered  {printable(_text_of(row['response']), 2000)}"
    rows = [(c, _cell(row, c), _reason(None, row, c)) for c in row["cells"]]
    clean = [tuple(printable(cell, 400) for cell in one) for one in rows]
    yield from (f"  {line}" for line in columns(clean, 60))


_Collected = Callable[[Project, argparse.Namespace], dict[str, Any]]
_Text = Callable[[Mapping[str, Any]], Iterator[str]]
_SHOWN: Mapping[str, tuple[_Collected, _Text]] = {
    "run": (_run, _run_text),
    "evidence": (_evidence, _evidence_text),
    "case": (_case, _case_text),
    "attempts": (show_attempts.found, show_attempts.text),
    "data": (show_data.found, show_data.text),
}
