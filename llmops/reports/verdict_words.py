"""What a verdict says, in words that every surface shares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llmops.reports.escape import cut, visible
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.reports.words import (
    capped,
    count,
    date,
    digest_words,
    interval,
    number,
    oid_words,
    places_of,
    plural,
    signed,
)
from llmops.rules.base import Finding, Loosened, Outcome, Verdict, Waived
from llmops.rules.waiver import reached

_ON_EVIDENCE = ("require", "slices", "regression", "gap", "fail-on", "bank-classes")
_PLAIN = re.compile(r"[\w./-]+(\[[\w./-]+\])?")  # gates whose names a shell takes as they are
_BOUND = re.compile(r"(min|max) (\S{1,20})")
_ASKED = re.compile(r"\bhas (\d+ of \d+) approvals from (.{1,100}?)(?: \(|$)")
_OF_PEOPLE = ("policy-looser", "approval")
COUNTED = ("findings", "rows of a class")  # metrics that are whole numbers


def tally(findings: Sequence[Finding]) -> dict[Outcome, int]:
    """How many gates ended how; a gate judged twice (base's bound, head's) counts by its worst."""
    worst: dict[str, Outcome] = {}
    for finding in findings:
        worst[finding.gate] = max(worst.get(finding.gate, Outcome.PASSED), finding.outcome)
    return {outcome: list(worst.values()).count(outcome) for outcome in Outcome}


def headline(verdict: Verdict) -> str:
    """`failed — 1 of 14 gates, 1 inconclusive`."""
    found = tally(verdict.findings)
    total = sum(found.values())
    parts = [_of_all(verdict, found[verdict.outcome], total)]
    below = [o for o in reversed(Outcome) if Outcome.PASSED < o < verdict.outcome]
    parts += [f"{count(found[o])} {o.word}" for o in below if found[o]]
    parts += [f"{count(waived)} waived"] if (waived := waived_gates(verdict)) else []
    return f"{verdict.outcome.word} — {', '.join(parts)}"


def title(verdict: Verdict) -> str:
    """`failed: accuracy 0.612 < 0.8 (2 of 4), 1 inconclusive`: the worst first, in plain text.

    Where nothing but people is waited for, it says whose yes is missing.
    """
    found = tally(verdict.findings)
    here, total = found[verdict.outcome], sum(found.values())
    worst = next((f for f in by_weight(verdict.findings) if f.outcome is verdict.outcome), None)
    if verdict.outcome is Outcome.PASSED or worst is None:
        said = _of_all(verdict, here, total)
    elif waited := _only_waits(verdict):
        said = f"waits for {waited}"
    else:
        said = f"{_reason(worst)} ({count(here)} of {count(total)})"
    below = [o for o in reversed(Outcome) if Outcome.PASSED < o < verdict.outcome and found[o]]
    parts = [said, *(f"{count(found[o])} {o.word}" for o in below)]
    parts += [f"{count(waived)} waived"] if (waived := waived_gates(verdict)) else []
    return f"{verdict.outcome.word}: {', '.join(parts)}"


def awaited(verdict: Verdict) -> list[tuple[str, str]]:
    """Whose approvals are missing: `("team-risk", "1 of 2")`."""
    found = (_ASKED.search(f.message) for f in by_weight(verdict.findings) if _waits(f))
    return list(dict.fromkeys((one[2], one[1]) for one in found if one))


def _waits(finding: Finding) -> bool:
    """Whether a finding is there because somebody has not said yes."""
    return finding.rule in _OF_PEOPLE and finding.outcome > Outcome.WARNED


def _only_waits(verdict: Verdict) -> str:
    """`team-cs (0 of 1), team-risk (1 of 2)` where nothing else stands in the way."""
    ill = [f for f in verdict.findings if f.outcome > Outcome.WARNED]
    if not all(map(_waits, ill)):
        return ""
    return ", ".join(f"{visible(team, 40)} ({have})" for team, have in awaited(verdict))


def _reason(finding: Finding) -> str:
    """`accuracy 0.612 < 0.8`; `accuracy 0.79 not shown ≥ 0.8`; else the gate's name."""
    name = visible(short_gate(finding.gate).partition("/")[2] or short_gate(finding.gate), 40)
    bound = _BOUND.fullmatch(finding.bound)
    if finding.value is None or bound is None:
        return name
    value = number(finding.value, places_of(finding.value, finding.bound))
    signs = {"min": ("<", "≥"), "max": (">", "≤")}[bound[1]]
    if "failed" in (finding.outcome.word, finding.unwaived):
        return f"{name} {value} {signs[0]} {bound[2]}"
    return f"{name} {value} not shown {signs[1]} {bound[2]}"


def verdict_word(finding: Finding) -> str:
    """`failed`; `warned (failed, waived)`; `passed, not shown` where nothing shows it."""
    waived = f" ({visible(finding.unwaived, 40)}, waived)" if finding.waived_by else ""
    return f"{finding.outcome.word}{waived}{', not shown' if finding.not_shown else ''}"


def waived_gates(verdict: Verdict) -> int:
    """How many gates hold only because of a waiver."""
    return len({finding.gate for finding in verdict.findings if finding.waived_by})


def waiver(one: Waived) -> str:
    """`in use, last day 2026-12-15 (23 days left), lihua, CS-1207: why`."""
    last = f"{visible(one.state, 40)}, last day {visible(one.expires, 20)} ({days(one)})"
    why = visible(reason(one, "en"), 300)
    return f"{last}, {visible(one.owner, 80)}, {visible(one.ticket, 80)}: {why}"


def days(one: Waived) -> str:
    """`23 days left`, `5 days over`."""
    over = one.days_left < 0
    return f"{plural(abs(one.days_left), 'day')} {'over' if over else 'left'}"


def reason(one: Waived, lang: str) -> str:
    """A waiver's reason in a language, or in one that there is."""
    said = one.reason
    return said.get(lang) or said.get("") or next(iter(said.values()), "")


def _of_all(verdict: Verdict, here: int, total: int) -> str:
    if verdict.outcome is Outcome.PASSED:
        return plural(total, "gate") if total else "no gate"
    if here:
        return f"{count(here)} of {plural(total, 'gate')}"
    said = cut(visible(verdict.notes[0], 120), 120) if verdict.notes else "not by a gate"
    return f"{said}, {plural(total, 'gate')}"


def judges(findings: Sequence[Finding]) -> list[str]:
    """Who judged what could not be computed: `kind: judged by Model/large, mean of 3`."""
    by: dict[str, dict[str, None]] = {}
    for finding in findings:
        if finding.judge:
            by.setdefault(finding.judge, {})[short_gate(finding.gate)] = None
    return [f"{', '.join(gates)}: judged by {judge}" for judge, gates in sorted(by.items())]


def attempts(findings: Sequence[Finding]) -> list[str]:
    """Which attempt each claim is at: `attempt 2 of 3 at 0.0125: quality/accuracy`."""
    by: dict[str, dict[str, None]] = {}
    for finding in findings:
        if said := attempt(finding):
            by.setdefault(said, {})[short_gate(finding.gate)] = None
    return [f"{said}: {_named(tuple(gates), len(by))}" for said, gates in sorted(by.items())]


def _named(gates: Sequence[str], groups: int, most: int = 4) -> str:
    """Some gates by name, or how many there are where all are alike."""
    if len(gates) > most and groups == 1:
        return f"all {count(len(gates))} gates that are counted"
    shown, left = capped(gates, most)
    return ", ".join(shown) + (f" and {count(left)} more" if left else "")


def limits(verdict: Verdict) -> list[str]:
    """What limits the verdict as a whole, in sentences."""
    return [*verdict.notes, *filter(None, (profile(verdict),))]


def attempt(finding: Finding) -> str:
    """`attempt 2 of 3 at 0.0125`; nothing for a claim whose attempts are not counted."""
    if finding.attempt is None:
        return ""
    of = f" of {finding.attempts}" if finding.attempts is not None else ""
    level = f" at {finding.level:.4g}" if finding.level is not None else ""
    return f"attempt {finding.attempt}{of}{level}"


_UNSHOWN = {
    "gate": "{what}: {why}",
    "route": "{what}: nothing measures this route",
    "target": "{what}: no gate is about it",
    "reported": "{what}: measured, but it decides nothing",
}


def unshown(verdict: Verdict) -> list[str]:
    """What the verdict does not show, a line for each."""
    return [
        _UNSHOWN[one.kind].format(
            what=short_gate(one.what) if one.kind == "gate" else one.what, why=one.why
        )
        for one in verdict.unshown
        if one.kind in _UNSHOWN
    ]


def profile(verdict: Verdict) -> str:
    """What a policy that reads bounds literally means, "" where the bound decides."""
    if verdict.profile != "literal":
        return ""
    claims = {f.gate: f for f in verdict.findings if f.literal}
    short = sum(f.literal == "passed" and f.assured != "passed" for f in claims.values())
    passed = f"{count(short)} of {plural(len(claims), 'claim')} pass by it and are not shown"
    return f"profile literal: the measured number decides; {passed}"


def gained(one: Loosened) -> str:
    """What would newly pass: `quality/accuracy, quality/accuracy case q-17`."""
    shown, left = capped([short_gate(name) for name in one.newly_passes], 12)
    return ", ".join([*shown, *([f"… {left} more"] if left else [])])


def by_weight(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by gate; base's judgement before head's."""
    return sorted(findings, key=lambda f: (-f.outcome, f.gate, f.judged_by, f.message))


def ailing(findings: Sequence[Finding]) -> list[Finding]:
    """Those that did not pass, the worst first."""
    return [finding for finding in by_weight(findings) if finding.outcome is not Outcome.PASSED]


def with_one_cause(findings: Sequence[Finding]) -> list[tuple[Finding, ...]]:
    """The same, with findings that say the very same thing of several gates put together."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in ailing(findings):
        key = (finding.outcome, finding.rule == "policy-looser", finding.message, finding.hint)
        groups.setdefault(key, []).append(finding)
    return [tuple(group) for group in groups.values()]


def twice(findings: Sequence[Finding]) -> frozenset[str]:
    """Gates that both base and head judged."""
    sides: dict[str, set[str]] = {}
    for finding in findings:
        sides.setdefault(finding.gate, set()).add(finding.judged_by)
    return frozenset(gate for gate, found in sides.items() if len(found) > 1)


def short_gate(gate: str) -> str:
    """A gate's id without its kind: `support-quality/accuracy`."""
    kind, slash, rest = gate.partition("/")
    return rest if slash and kind.isalpha() else gate


def common_subject(findings: Sequence[Finding]) -> str:
    """`Evaluation/support-quality` when no gate belongs to another Evaluation, else nothing."""
    found = {"/".join(f.gate.split("/")[:2]) for f in findings if f.gate.count("/") > 1}
    return found.pop() if len(found) == 1 else ""


def measured(finding: Finding) -> str:
    """`0.081 [0.066, 0.098]`."""
    if finding.value is not None and finding.metric in COUNTED:
        return f"{finding.value:,.0f}"
    if finding.value is None:
        return ""
    places = places_of(finding.value, finding.bound)
    return f"{number(finding.value, places)} {interval(finding.interval, finding.bound)}".strip()


def before(finding: Finding) -> str:
    """The base's value, or nothing."""
    return "" if finding.base_value is None else number(finding.base_value)


def difference(finding: Finding) -> str:
    """`+0.038 [0.021, 0.055]`."""
    if finding.difference is None:
        return ""
    return f"{signed(finding.difference)} {interval(finding.difference_interval)}".strip()


def rests_on(finding: Finding) -> str:
    """`gate Evaluation/x/accuracy, base's; evidence sha256:9f2c0d1e…; controls …`."""
    whose = ", base's" if finding.judged_by == "base" else ""
    parts = [f"gate {visible(finding.gate, 200)}{whose}"]
    if finding.evidence:
        parts.append(f"evidence {digest_words(finding.evidence)}")
    if finding.controls:
        parts.append(visible(f"evidence for control {', '.join(finding.controls)}"))
    if said := attempt(finding):
        parts.append(said)
    if finding.not_shown:
        parts.append(visible(f"not shown: {finding.not_shown}", 200))
    if finding.waived_by:
        parts.append(visible(f"waived by {finding.waived_by}"))
    return "; ".join(parts)


def waits(verdict: Verdict) -> bool:
    """Whether something loosened still needs an approval."""
    judged = [f.outcome for f in verdict.findings if f.rule == "policy-looser"]
    if judged:
        return max(judged) > Outcome.WARNED
    return any(one.approval and not one.approved_by for one in verdict.loosened)


def approval(verdict: Verdict) -> str:
    """What the loosened bounds need, in one phrase."""
    named = sorted({one.approval for one in verdict.loosened if one.approval})
    if not named:
        return "base's policy asks for no approval"
    by = sorted({name for one in verdict.loosened for name in one.approved_by})
    given = f"given by {', '.join(by)}" if by else "not given yet"
    more = ", more needed" if by and waits(verdict) else ""
    return f"needs approval {', '.join(named)}: {given}{more}"


def worse(verdict: Verdict) -> str:
    """`3 of 97 that got worse; 12 got better`."""
    total = max(verdict.worse_count, len(verdict.worst_cases))
    better = f"; {count(verdict.better_count)} got better" if verdict.better_count else ""
    return f"{len(verdict.worst_cases)} of {count(total)} that got worse{better}"


def outputs(verdict: Verdict) -> str:
    """`Prompt/ask: 41 of 480 answers changed`, "" where no changed Prompt can be compared."""
    told = verdict.outputs
    if told is None:
        return ""
    return f"{', '.join(told.prompts)}: {count(told.changed)} of {count(told.compared)} changed"


def no_approvals(verdict: Verdict) -> tuple[str, ...]:
    """Whose yes is none, and why: plain text, with names of others in it."""
    found = verdict.extra.get("approvals_left_out", ())
    return tuple(f"No approval: {line}" for line in found)


def next_steps(verdict: Verdict) -> tuple[str, ...]:
    """What a person can do now, in sentences; commands between backticks."""
    found = []
    judged = [f for f in verdict.findings if f.rule in _ON_EVIDENCE]
    failed = [f for f in judged if f.outcome is Outcome.FAILED]
    undecided = [f for f in judged if f.outcome is Outcome.INCONCLUSIVE]
    if any(step.state == "run" for step in verdict.plan.steps):
        found.append("Some jobs have no evidence yet: `llmops run`, then `llmops gate`.")
    if failed:
        found.append(
            "The same specs give the same evidence: running again changes nothing. "
            "Change the recipe, the data or the prompt."
        )
    if any(f.about_more for f in undecided):
        most = max(f.about_more or 0 for f in undecided)
        found.append(f"About {count(most)} more cases would decide what is inconclusive.")
    if waits(verdict):
        found.append(
            "What is looser than base counts only with the approval that the target branch names."
        )
    if (gate := _waivable(verdict)) is not None:
        found.append(
            "Where somebody answers for a miss until a day, a waiver of its own counts once it is "
            f"merged: `llmops waiver new {gate} --expires 30d --reason WHY --ticket ID --owner WHO`"
        )
    return tuple(found)


def _waivable(verdict: Verdict) -> str | None:
    """The worst gate that a waiver could let by, in words that a shell takes as they are."""
    for finding in verdict.findings if verdict.base is not None else ():
        measured = finding.value is not None and finding.refused is None
        if measured and reached(finding) and _PLAIN.fullmatch(finding.gate):
            return f"'{finding.gate}'" if "[" in finding.gate else finding.gate
    return None


def counted(verdict: Verdict) -> list[str]:
    """How attempts were counted, in which ledger, and who granted one more than is allowed."""
    told = verdict.counted
    if told is None:
        return []
    over = f"within {visible(told.change, 80)}" if told.by == "pull_request" else "over the claim"
    end = f", up to ledger entry {count(told.entries)} ({digest_words(told.last)})"
    found = [f"attempts counted {over}{end if told.entries else ''}"]
    if granted(verdict):
        by = visible(", ".join(told.approved_by), 200)
        found.append(f"one more attempt granted by {by} ({visible(told.approval, 200)})")
    return [*found, visible(told.note, 300)] if told.note else found


def granted(verdict: Verdict) -> bool:
    """Whether some claim was decided on an attempt beyond those that the policy allows."""
    more = any((f.attempt or 0) > (f.attempts or 0) and not f.refused for f in verdict.findings)
    return more and verdict.counted is not None and bool(verdict.counted.approved_by)


def seal(verdict: Verdict) -> str:
    """`tree 77d0a1b2… · policy 0b3c77aa… (main) · evidence … · judged …`."""
    parts = [f"tree {oid_words(verdict.head.tree)}"]
    if verdict.head.dirty:
        parts[0] += " (not committed)"
    if verdict.advisory:
        parts.append("advisory: nothing counted, never enough to merge or release")
    parts += counted(verdict)
    if verdict.policy_tree:
        whose = f" ({visible(verdict.base.label, 40)})" if verdict.base else ""
        parts.append(f"policy {oid_words(verdict.policy_tree)}{whose}")
    kept = list(dict.fromkeys(f.evidence for f in verdict.findings if f.evidence))  # worst first
    if kept:
        more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
        parts.append(f"evidence {digest_words(kept[0])}{more}")
    if verdict.judged_at:
        parts.append(f"judged {date(verdict.judged_at)}")
    if verdict.tool_version:
        parts.append(f"llmops {visible(verdict.tool_version, 40)}")
    return " · ".join((*parts, *in_log(verdict)))


def in_log(verdict: Verdict) -> tuple[str, ...]:
    """Where it stands in the signed log, whole, so that others can hold it against theirs."""
    if verdict.extra.get(NOT_SIGNED):
        return (f"not signed: {visible(str(verdict.extra[NOT_SIGNED]), 300)}",)
    seal = verdict.extra.get(SEAL)
    if not isinstance(seal, Mapping):
        return ()
    size, root, trust = (visible(str(seal[name]), 80) for name in ("size", "root", "trust"))
    return (f"entry {visible(str(seal['entry']), 20)} of log {size} {root}", f"trust root {trust}")
