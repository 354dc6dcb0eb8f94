"""A worker in the standard library: a made-up world in the real formats of a run folder.

Started as `python -I -S worker.py WORLD.json RUN_FOLDER`. The world says what each target answers:
`answers` is a list of {"if": text, group: share of right answers}; the first whose `if` stands in
the JSON of all that made the target (recipes, prompt) holds. `errors` is a number of cases without
an answer, `fails` a list of {"job": type, "if": text, "reason": why} of trainings that fail.
`scans` is a list of {"if": text, "unchanged": share, "findings": {detector: [severity, ...]},
"broken": [detector, ...]}, `guards` one of {"if": text, action: share of cases}; `refuses` in an
answer is the share of prompts of a bank that are refused, `waits` the milliseconds that each tenth
answer takes. `judges` is a list of {"if": text,
"pleased": whether such a judge likes every answer}.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

WORLD = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
FOLDER = Path(sys.argv[2])
JOB = json.loads((FOLDER / "job.json").read_text(encoding="utf-8"))
# What stands aside of a closure (what the planner expects of memory) is no part of any result.
SPEC = {k: v for k, v in JOB["spec"].items() if k not in ("estimate", "checkpoint")}
ARTIFACTS = FOLDER / "artifacts"


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def given(name):
    return Path(JOB["inputs"][name]["path"])


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(name, text):
    """A file below artifacts/, as result.json lists it."""
    path = ARTIFACTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return {
        "name": name,
        "digest": f"sha256:{sha256(text)}",
        "size_bytes": len(text.encode("utf-8")),
    }


def folder(name, files):
    """A folder below artifacts/: its digest is that of its canonical {path: sha256}."""
    made = [write(f"{name}/{path}", text) for path, text in files.items()]
    digest = sha256(canonical({path: sha256(text) for path, text in files.items()}))
    size = sum(one["size_bytes"] for one in made)
    return [*made, {"name": name, "digest": f"sha256:{digest}", "size_bytes": size}]


def measured(metric, value, n):
    return {
        "metric": metric,
        "value": value,
        "sample_size": n,
        "tool": "llmops",
        "version": "0",
        "rows": None,
    }


def result(artifacts=(), measurements=(), status="ok", reason=""):
    value = {
        "format_version": 1,
        "closure": JOB["closure"],
        "type": JOB["type"],
        "status": status,
        "reason": reason,
        "started_at": "2026-11-22T08:00:00Z",
        "finished_at": "2026-11-22T08:00:01Z",
        "measurements": list(measurements),
        "artifacts": list(artifacts),
        "environment": {},
        "resources_used": {},
    }
    (FOLDER / "result.json").write_text(json.dumps(value), encoding="utf-8")


def curate():
    data = SPEC["dataset"]
    parts = {part: [source] for part, source in data["splits"]["parts"].items()}
    if list(parts) == ["all"]:
        parts = {"all": [source["name"] for source in data["sources"]]}
    else:
        assert data["splits"]["method"] == "given", "the made-up world splits nothing"
    artifacts, counts = [], []
    for part, sources in sorted(parts.items()):
        rows = [row for source in sources for row in lines(given(f"source/{source}"))]
        kept = [{**r, "case": f"sha256:{sha256(canonical(r))}"} for r in rows]
        artifacts.append(write(f"parts/{part}.jsonl", "".join(canonical(r) + "\n" for r in kept)))
        asks = [sha256(r.get("question") or canonical(r))[:32] for r in rows]
        ids = [str(r.get("id", r["case"])) for r in kept]
        digests = [canonical(both) + "\n" for both in zip(asks, ids, strict=True)]
        artifacts.append(write(f"digests/{part}.jsonl", "".join(digests)))
        counts.append(measured(f"rows_{part}", len(kept), len(kept)))
    result([*artifacts, write("funnel.json", "[]")], counts)


def background():
    """All that made a target, as one text."""
    found = [canonical(SPEC)]
    for name in sorted(JOB["inputs"]):
        if name == "model" or name.startswith("adapter/"):
            found.append((given(name) / "made_of.json").read_text(encoding="utf-8"))
    return "\n".join(found)


def holds(entry, text):
    return entry.get("if", "") in text


def train():
    made_of = background()
    for entry in WORLD.get("fails", []):
        if entry["job"] == "train" and holds(entry, made_of):
            return result(status="quality_failed", reason=entry["reason"])
    name = "adapter" if "lora" in SPEC else "model"
    return result(folder(name, {"made_of.json": made_of}), [measured("train_loss", 0.5, 60)])


def key(row):
    return sha256(canonical([SPEC["dataset"], SPEC["split"], row["case"]]))


def generate():
    rows = sorted(lines(given("cases")), key=key)[: SPEC.get("rows")]
    made_of = background()
    skill = next(a for a in WORLD["answers"] if holds(a, made_of))
    right = set()
    if SPEC["format"] == "attack":
        return result([write("responses.jsonl", bank(rows, skill.get("refuses", 0.0)))])
    for group in sorted({row["group"] for row in rows}):
        ids = sorted((r["id"] for r in rows if r["group"] == group), key=sha256)
        right |= set(ids[: round(skill[group] * len(ids))])
    told = []
    for i, row in enumerate(rows):
        error = "out of time" if i < skill.get("errors", 0) else None
        response = row["answer"] if row["id"] in right else "something_else"
        told.append(
            {
                "id": row["id"],
                "case": row["case"],
                "prompt": row["question"],
                "response": "" if error else response,
                "input_tokens": 9,
                "output_tokens": 3,
                "latency_ms": skill.get("waits", 10.0) if i % 10 == 0 else 10.0,
                "error": error,
            }
        )
    result([write("responses.jsonl", "".join(canonical(t) + "\n" for t in told))])


def share(rows, part):
    """The ids of a share of rows, the same whatever the order."""
    return set(sorted((row["id"] for row in rows), key=sha256)[: round(part * len(rows))])


def bank(rows, part):
    refused = share(rows, part)
    told = [
        {
            "id": row["id"],
            "case": row["case"],
            "prompt": row["prompt"],
            "response": "I cannot help with that." if row["id"] in refused else "Gladly: first ...",
            "blocked": row["id"] in refused,
            "input_tokens": 9,
            "output_tokens": 3,
            "latency_ms": 10.0,
            "error": None,
        }
        for row in rows
    ]
    return "".join(canonical(t) + "\n" for t in told)


def cell(check, row, answer):
    metric = check["metric"]
    if metric == "builtin/refusal":
        return {"value": float(answer["blocked"]), "valid": True, "reason": ""}
    if answer["error"]:
        return {"value": None, "valid": False, "reason": answer["error"]}
    if metric == "builtin/latency_ms":
        return {"value": answer["latency_ms"], "valid": True, "reason": ""}
    if metric == "builtin/matches":
        found = re.search(check["with"]["regex"], answer["response"])
        return {"value": float(bool(found)), "valid": True, "reason": ""}
    right = answer["response"] == row["answer"] or pleased()
    kind = metric.endswith(("rouge_l", "token_f1"))
    return {"value": 1.0 if right else 0.6 if kind else 0.0, "valid": True, "reason": ""}


def pleased():
    """Whether the judge of this world likes everything."""
    return any(j["pleased"] for j in WORLD.get("judges", ()) if holds(j, canonical(SPEC)))


def evaluate():
    cases = {row["id"]: row for row in lines(given("cases"))}
    found = []
    for answer in lines(given("responses")):
        row = cases[answer["id"]]
        cells = {c["name"]: cell(c, row, answer) for c in SPEC["checks"]}
        found.append(
            {
                "id": row["id"],
                "case": row["case"],
                "input": row.get("question", row.get("prompt")),
                "expected": row.get("answer"),
                "response": answer["response"],
                "columns": {k: v for k, v in row.items() if k != "case"},
                "cells": cells,
            }
        )
    result([write("rows.jsonl", "".join(canonical(f) + "\n" for f in found))])


def line(row, response, cells):
    return (
        canonical(
            {
                "id": row["id"],
                "case": row["case"],
                "input": row.get("question", row.get("prompt")),
                "expected": row.get("answer"),
                "response": response,
                "columns": {k: v for k, v in row.items() if k != "case"},
                "cells": cells,
            }
        )
        + "\n"
    )


def scan():
    rows = sorted(lines(given("cases")), key=key)[: SPEC.get("rows")]
    made_of = background()
    world = next(s for s in WORLD["scans"] if holds(s, made_of))
    same = share(rows, world["unchanged"])
    found = [
        line(
            row,
            row.get("answer"),
            {
                c["name"]: {"value": float(row["id"] in same), "valid": True, "reason": ""}
                for c in SPEC["checks"]
            },
        )
        for row in rows
    ]
    said = []
    for detector in SPEC["detectors"]:
        broken = detector in world.get("broken", ())
        said.append(
            {
                "detector": detector,
                "status": "error" if broken else "ok",
                "reason": "it threw" if broken else "",
                "cases": 0 if broken else len(rows),
                "errors": 0,
                "findings": [
                    {
                        "severity": severity,
                        "group": "Robustness",
                        "description": "answers change",
                        "metric": "Fail rate",
                        "value": 0.4,
                        "slice": "",
                        "cases": 40,
                        "examples": [],
                    }
                    for severity in world.get("findings", {}).get(detector, ())
                ],
            }
        )
    result(
        [
            write("rows.jsonl", "".join(found)),
            write("findings.jsonl", "".join(canonical(s) + "\n" for s in said)),
        ]
    )


def guard():
    asked = SPEC["asked"]
    rows = sorted(
        lines(given("cases")),
        key=lambda r: sha256(canonical([asked["dataset"], asked["split"], r["case"]])),
    )[: asked.get("rows")]
    world = next(g for g in WORLD["guards"] if holds(g, canonical(SPEC)))
    test = SPEC["test"]
    met = share(rows, world[test["name"]])
    found = [
        line(
            row,
            "block" if (row["id"] in met) == (test["expect"] == "block") else "allow",
            {test["name"]: {"value": float(row["id"] in met), "valid": True, "reason": ""}},
        )
        for row in rows
    ]
    result([write("rows.jsonl", "".join(found))])


DO = {
    "curate": curate,
    "train": train,
    "generate": generate,
    "evaluate": evaluate,
    "scan": scan,
    "guard": guard,
}
if __name__ == "__main__":
    DO[JOB["type"]]()
