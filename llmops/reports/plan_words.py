"""What a plan says, in words that the terminal and the comment share."""

from __future__ import annotations

from dataclasses import dataclass

from llmops.jobs.base import NotNeeded, Plan, PlannedGate, Resources, Step, TreeName
from llmops.reports.escape import visible
from llmops.reports.words import count, digest_words, oid_words, plural

_CANNOT = "cannot run"  # how `jobs.plan` begins the reason of a blocked job


@dataclass(frozen=True, slots=True)
class Totals:
    """How many jobs a plan runs, reuses, does not need and cannot run."""

    run: int
    reuse: int
    idle: int
    blocked: int
    audited: int = 0  # drawn to be run once more

    @property
    def sentence(self) -> str:
        """The last line of a plan."""
        if self.run == 0:
            return self._nothing()
        parts = f"{count(self.reuse)} reused, {count(self.idle)} not needed"
        stuck = f", {count(self.blocked)} cannot run" if self.blocked else ""
        return f"{plural(self.run, 'job')} to run, {parts}{stuck}{self._drawn}."

    def _nothing(self) -> str:
        needed = self.reuse + self.blocked
        if needed == 0:
            return "nothing to run. No gate needs a job."
        verb = "has" if needed == 1 else "have"
        kept = f"{count(self.reuse)} of {plural(needed, 'job')} {verb} evidence for this tree"
        stuck = f"; {count(self.blocked)} cannot run" if self.blocked else ""
        if self.audited:
            return f"nothing new to run. {kept}{stuck}{self._drawn}."
        return f"nothing to run. {kept}{stuck}."

    @property
    def _drawn(self) -> str:
        return f"; {count(self.audited)} drawn to be run once more" if self.audited else ""


def totals(plan: Plan) -> Totals:
    """The counts of a plan."""
    run = sum(step.state == "run" for step in plan.steps)
    stuck = sum(map(blocked, plan.not_needed))
    audited = sum(bool(step.audit) for step in plan.steps)
    return Totals(run, len(plan.steps) - run, len(plan.not_needed) - stuck, stuck, audited)


def blocked(item: NotNeeded) -> bool:
    """Whether a job is left out because something before it failed, not because nobody asks."""
    return item.why.startswith(_CANNOT)


def tree_words(tree: TreeName) -> str:
    """`main 4c1e9ab (tree 77d0a1b2…)`; a dirty tree says so."""
    label = visible(tree.label, 60)
    commit = tree.commit[:7] if tree.commit else ""
    named = f"{label} {commit}" if commit and not label.startswith(commit) else label
    dirty = ", not committed" if tree.dirty else ""
    return f"{visible(named, 80)} (tree {oid_words(tree.tree)}{dirty})"


def header(plan: Plan) -> str:
    """Which tool, which trees, whose policy."""
    against = tree_words(plan.base) if plan.base else "nothing (there is no base)"
    parts = [
        f"llmops {visible(plan.tool_version, 40)}".strip(),
        f"head {tree_words(plan.head)} against {against}",
    ]
    if plan.base and plan.policy_tree:
        where = visible(plan.base.label, 60)
        parts.append(f"policy from {where} (tree {oid_words(plan.policy_tree)})")
    return " · ".join(parts)


def notes(plan: Plan) -> tuple[str, ...]:
    """What limits every verdict on this plan."""
    found = []
    if plan.base is None:
        found.append("no base: head's own policies will judge it, warned at best")
    elif plan.policy_tree is None:
        found.append("no policy at base: warned at best")
    if plan.selected:
        found.append(f"partial: {plan.selected.words}")
    return tuple(found)


def where(resources: Resources) -> str:
    """`cpu`, `2 ranks cpu`, `4 ranks h100`: what a job asks of a machine."""
    kind = visible(resources.gpu, 30) if resources.gpu else "cpu"
    return kind if resources.processes == 1 else f"{resources.processes} ranks {kind}"


def subject(step: Step) -> str:
    """`Recipe/support-lora`, `SafetyTest/safe scan`; with `(base)` for a job on base's side."""
    side = " (base)" if step.job.side == "base" else ""
    return visible(step.job.about, 100) + side


def reused(step: Step) -> str:
    """`sha256:9f2c0d1e…: no input changed`."""
    named = f"{digest_words(step.evidence)}: " if step.evidence else ""
    return f"{named}{visible(step.why)}"


def gate_counts(gates: tuple[PlannedGate, ...]) -> str:
    """`12 decidable · 1 likely to stay undecided · 1 cannot be decided · 1 not known yet`."""
    said = (
        (" ", "decidable"),
        ("!", "likely to stay undecided"),
        ("x", "cannot be decided"),
        ("?", "not known before the run"),
    )
    found = [(sum(gate_sign(gate) == sign for gate in gates), words) for sign, words in said]
    return " · ".join(f"{count(n)} {words}" for n, words in found if n)


def gate_sign(gate: PlannedGate) -> str:
    """`x` no result can pass, `!` more rows are needed, `?` not known yet, else nothing."""
    if gate.decidable is False:
        return "x"
    if gate.rows is not None and gate.needed is not None and gate.needed > gate.rows:
        return "!"
    return " " if gate.decidable else "?"


def sorted_gates(gates: tuple[PlannedGate, ...]) -> list[tuple[str, PlannedGate]]:
    """Every gate with its sign: those that cannot be decided first, those without doubt last."""
    return sorted(((gate_sign(gate), gate) for gate in gates), key=lambda g: "x!? ".index(g[0]))


def gate_words(gate: PlannedGate) -> str:
    """`Evaluation/support/accuracy (base's): accuracy min 0.95: 40 rows cannot show 0.95`."""
    whose = " (base's)" if gate.judged_by == "base" else ""
    note = f": {visible(gate.note)}" if gate.note else ""
    return f"{visible(gate.id, 160)}{whose}: {visible(gate.claim)}{note}"
