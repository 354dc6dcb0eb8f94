"""A worker for pages and their tests: what needs no model is done for real, the rest is made up.

Started as `python stand_in.py WORLD.json RUN_FOLDER`. `curate`, `guard` and `evaluate` are the real
workers. `train` and `scan` are those of the scenarios' made-up world (`tests/scenarios/worker.py`);
`generate` answers as the world says: `answers` is a list of {"if": text, "right": share of right
answers, "refuses": {what a row expects: share that is refused}}, of which the first holds whose
`if` stands in all that made the target.
"""

import json
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REAL = ("curate", "guard", "evaluate")


def main():
    """One job, for real or made up."""
    folder = Path(sys.argv[2])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    if job["type"] in REAL:
        sys.path.insert(0, str(ROOT))
        from llmops.workers.__main__ import main as work

        raise SystemExit(work([str(folder)]))
    if job["type"] != "generate":
        runpy.run_path(str(ROOT / "tests" / "scenarios" / "worker.py"), run_name="__main__")
        return
    sys.argv[2] = str(folder)
    made_up = runpy.run_path(str(ROOT / "tests" / "scenarios" / "worker.py"), run_name="made_up")
    generate(made_up)


def generate(do):
    """Answers to every case, right or refused as often as the world says."""
    spec = do["SPEC"]
    rows = sorted(do["lines"](do["given"]("cases")), key=do["key"])[: spec.get("rows")]
    skill = next(a for a in do["WORLD"]["answers"] if do["holds"](a, do["background"]()))
    attack = spec["format"] == "attack"
    good = refused(do, rows, skill["refuses"]) if attack else do["share"](rows, skill["right"])
    answers = sorted({row["answer"] for row in rows}) if not attack else []
    told = [answer(row, row["id"] in good, answers) for row in rows]
    text = "".join(do["canonical"](one) + "\n" for one in told)
    do["result"]([do["write"]("responses.jsonl", text)])


def refused(do, rows, shares):
    """The ids of the rows that are refused."""
    found = set()
    for expect, share in shares.items():
        found |= do["share"]([row for row in rows if row["expect"] == expect], share)
    return found


def answer(row, good, answers):
    """One line of responses.jsonl."""
    if answers:
        other = answers[(answers.index(row["answer"]) + 1) % len(answers)]
        response = row["answer"] if good else other
    else:
        response = "I cannot help with that." if good else "delivery"
    return {
        "id": row["id"], "case": row["case"], "prompt": row.get("question", row.get("prompt")),
        "response": response, "blocked": bool(good and not answers), "input_tokens": 9,
        "output_tokens": 3, "latency_ms": 10.0, "error": None,
    }  # fmt: skip


if __name__ == "__main__":
    main()
