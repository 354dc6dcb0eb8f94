"""Rule `split-overlap`: what an exam asks is not what the target learned from.

Every part that an Evaluation, a bank or a scan asks is held against every part that a Recipe of the
target's training chain learned from, in the same dataset or another: two rows are the same where
they ask the same, whatever the case, the blanks and the answer. `with: {max_share: 0.01}` lets so
much of the asked rows be known, of all Datasets or of those in `datasets`; without it, none. Where
the digests of a part are not kept, nobody can tell: inconclusive. Few-shot examples of the target's
Prompt are known to it as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import printable
from llmops.digest import of_question
from llmops.graph.build import Graph
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.prompts import shots
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info, asking
from llmops.specs.base import Ref

INFO = Info(
    id="split-overlap",
    why="a target that has seen the answers says nothing about questions that it has not seen",
    fix="remove those rows from the training part, or split by a column that they share",
    needs_evidence=True,
    controls=("eu-ai-act/art-10", "iso42001/A.7.4"),
    good="""\
kind: Evaluation
spec: {dataset: bank#test}  # Recipe/adapter learns from bank#train
""",
    bad="""\
kind: Evaluation
spec: {dataset: bank#train}  # what it is asked is what it learned
""",
)
ANSWERS = ("generate", "scan", "guard")  # the jobs that put cases to a target
DATA = "data/"  # inputs of a training from which it learns; a tokenizer's text is none
HINTS = {Outcome.FAILED: INFO.fix, Outcome.INCONCLUSIVE: "llmops run"}
Rows = tuple[str, str]  # closure of a curate job, and the part


@dataclass(frozen=True, slots=True)
class _Compared:
    """One exam: what it asks, and everything that its target learned from."""

    exam: Exam
    asked: Rows
    learned: tuple[tuple[str, Rows], ...]  # who learned, and from what
    shown: tuple[tuple[str, str], ...] = ()  # the target's Prompt, and what an example of it asks

    @property
    def key(self) -> tuple[Any, ...]:
        """What decides it: base's and head's exams often ask the same."""
        return self.exam.name, self.exam.target, self.asked, self.learned, self.shown


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each exam whose target knows rows that it is asked, or may know them."""
    seen: dict[tuple[Any, ...], _Compared] = {}
    for exam in facts.exams:
        if exam.head is not None and exam.part.gating:
            for one in _compared(facts, exam, exam.head):
                seen.setdefault(one.key, one)
    for one in seen.values():
        yield from _found(facts, one)


def share_of(graph: Graph, dataset: str) -> float:
    """The share of a Dataset's rows that a tree's policies let be known: the smallest named."""
    named = [
        float(given.get("max_share", 0.0))
        for given in parameters(graph)
        if dataset in given.get("datasets", (dataset,))
    ]
    return min(named, default=0.0)


def parameters(graph: Graph) -> Iterator[Mapping[str, Any]]:
    """What a tree's policies say to the rule, each entry of theirs."""
    for policy in asking(graph):
        for rule in policy.spec.get("rules", ()):
            if rule["rule"] == INFO.id:
                yield rule.get("with", {})


def _compared(facts: Facts, exam: Exam, head: Made) -> Iterator[_Compared]:
    answering = next((m for m in (head, *head.before) if m.job.type in ANSWERS), None)
    asked = next(_rows(answering, "cases"), None) if answering is not None else None
    if answering is None or asked is None:
        return
    learned = tuple(
        (str(made.job.subject), rows)
        for made in answering.all()
        if made.job.type == "train"
        for rows in _rows(made, DATA)
    )
    shown = tuple(_shown(facts, exam.target))
    if learned or shown:
        yield _Compared(exam, asked, learned, shown)


def _shown(facts: Facts, target: Ref) -> Iterator[tuple[str, str]]:
    """What the few-shot examples of a target's Prompt ask, in place and in files of head."""
    used = (u for u in facts.head.specs[target].references if u.loc == ("spec", "prompt"))
    for prompt in (facts.head.specs[u.target] for u in used):
        turns = [shot for shot in prompt.spec.get("few_shot", ()) if "user" in shot]
        for file in (f.path for f in prompt.files if "few_shot" in f.loc):
            text = facts.text(file) or ""
            turns += [line.turn for line in shots.lines(text.encode()) if not line.wrong]
        yield from ((str(prompt.ref), of_question(turn["user"]).hex()) for turn in turns)


def _rows(made: Made, name: str) -> Iterator[Rows]:
    """The curated parts that a job reads under a name."""
    for given in made.job.inputs:
        if given.name.startswith(name) and given.job is not None and given.artifact is not None:
            yield given.job, given.artifact.removeprefix("parts/").removesuffix(".jsonl")


def _found(facts: Facts, one: _Compared) -> Iterator[Finding]:
    exam = one.exam
    most = share_of(facts.judging(), _part(one).partition("#")[0])
    outcome, message, share, n = _judged(facts, one, most)
    proof = facts.proven.get(one.asked[0])
    if share == 0:
        return
    yield Finding(
        INFO.id, f"{exam.name}/split-overlap", outcome, message,
        HINTS.get(outcome, ""),
        facts.place(exam.judged_by, exam.asker.ref, exam.part.loc), exam.judged_by,
        metric="share of rows", value=share, bound=f"max {most:g}", n=n,
        evidence=proof.evidence if proof else "",
    )  # fmt: skip


def _judged(
    facts: Facts, one: _Compared, most: float
) -> tuple[Outcome, str, float | None, int | None]:
    asked = facts.digests(*one.asked)
    known = {digest: f"{who} shows" for who, digest in one.shown}  # digest -> who knows it
    for who, rows in one.learned:
        found = facts.digests(*rows)
        if found is None or not found:
            what = f"what {who} learned from is not kept, so nobody can tell what it knows"
            return Outcome.INCONCLUSIVE, what, None, None
        known.update((digest, f"{who} learned from") for digest, _ in found)
    if asked is None or not asked:
        what = "what is asked is not kept, so nobody can tell whether the target knows it"
        return Outcome.INCONCLUSIVE, what, None, None
    shared = [(name, known[digest]) for digest, name in asked if digest in known]
    share, n = len(shared) / len(asked), len(asked)
    who = ", ".join(dict.fromkeys(who for _, who in shared))
    names = ", ".join(printable(name, 40) for name, _ in shared[:3])
    more = ", …" if len(shared) > 3 else ""
    verb = "is" if len(shared) == 1 else "are"
    said = f"{len(shared)} of {n} rows of {_part(one)} {verb} among what {who}"
    outcome = Outcome.PASSED if share <= most else Outcome.FAILED
    return outcome, f"{said}: {names}{more}", share, n


def _part(one: _Compared) -> str:
    """`bank#test`."""
    made = one.exam.head
    assert made is not None
    asks = next(m for m in (made, *made.before) if m.job.type in ANSWERS)
    given: Mapping[str, Any] = asks.job.spec
    return f"{given['dataset']}#{given['split']}" if "dataset" in given else one.asked[1]
