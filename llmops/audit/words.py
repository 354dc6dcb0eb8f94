"""What an audit says, for people (English, Chinese) and for programs (JSON). Dry.

In: `Answer`. Out: text whose last lines may be quoted as they are: what was verified, of which log,
by which root; then what that does not show. Flaws are told in English in either language: they name
files, entries and fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from llmops.audit.base import Answer, Flaw, Judged, Landed, LandedState, Unshown
from llmops.audit.times import in_utc, shown
from llmops.diagnostics import printable
from llmops.reports.phrase import Lang, Phrase

FORMAT_VERSION = 1
MOST = 50  # flaws that a text tells one by one
_PHRASES: Mapping[str, Phrase] = {
    "fork": Phrase("another history", "另一份历史"),
    "tampered": Phrase("tampered", "被改动"),
    "key": Phrase("key", "密钥"),
    "incomplete": Phrase("incomplete", "不完整"),
    "order": Phrase("order", "顺序"),
    "attempts": Phrase("attempts", "尝试次数"),
    "verdict": Phrase("verdict does not follow", "判定无法推出"),
    "report": Phrase("report", "报告"),
    "git": Phrase("git", "git"),
    "unreadable": Phrase("unreadable", "无法读取"),
    "unanchored": Phrase("no anchor", "没有信任锚"),
    "entry": Phrase("entry {entry}", "第 {entry} 条"),
    "byte": Phrase("byte {offset}", "第 {offset} 字节"),
    "hint": Phrase("hint: {hint}", "提示：{hint}"),
    "more": Phrase(
        "more flaws: {count} (--format json has all of them)",
        "另有 {count} 处问题：--format json 列出全部",
    ),
    "checked": Phrase(
        "checked: entries {entries}, signatures {signatures}, trust roots {roots}, runs {runs},"
        " ledger entries {ledger}, blobs {blobs}, public rows {rows}, pages {pages}, opened lines"
        " {lines}, cells scored again {cells}",
        "已检查：记录 {entries}，签名 {signatures}，信任根 {roots}，运行 {runs}，台账 {ledger}，"
        "数据块 {blobs}，公开数据行 {rows}，页面 {pages}，公开原文行 {lines}，重新评分格 {cells}",
    ),
    "follows": Phrase("follows", "可推出"),
    "stands": Phrase("not derived", "未能推出"),
    "verified": Phrase("verified", "已验证"),
    "not_verified": Phrase("not verified", "未验证"),
    "consistent": Phrase("consistent, not verified", "前后一致，但未验证"),
    "follow": Phrase(
        "{head}: verdicts that follow from public rows, policies and trees: {derived} of {verdicts}"
        " (rows {rows}, figures {figures})",
        "{head}：可由公开数据、政策与代码树推出的判定：{verdicts} 个中的 {derived} 个"
        "（数据 {rows} 行，数字 {figures} 个）",
    ),
    "no_verdict": Phrase(
        "{head}: entries are as they were signed: {entries}; no verdict is among them",
        "{head}：{entries} 条记录与签名时一致，其中没有判定",
    ),
    "because": Phrase(
        "{head}: {reason}; flaws: {count}, the worst first",
        "{head}：{reason}；共 {count} 处问题，最重的在前",
    ),
    "because_one": Phrase("{head}: {reason}; one flaw", "{head}：{reason}；一处问题"),
    "log": Phrase(
        "log {origin}: {size} entries, root {root}", "日志 {origin}：{size} 条，根 {root}"
    ),
    "no_log": Phrase("no log could be read", "没有可读的日志"),
    "root": Phrase("trust root {root}, known by {anchor}", "信任根 {root}，依据 {anchor}"),
    "root_alone": Phrase("trust root {root}, known by nothing", "信任根 {root}，没有依据"),
    "gaps": Phrase("not shown:", "未能证明："),
    "gap_hidden": Phrase(
        "verdicts that were not derived again: {count} ({detail})",
        "没有重新推出的判定：{count}（{detail}）",
    ),
    "gap_unfinished": Phrase(
        "runs that were announced and of which nothing came: {count}",
        "已登记开始但没有结果的运行：{count}",
    ),
    "gap_several": Phrase(
        "jobs whose rows were made more than once and differ: {count} ({detail})",
        "多次运行且数据不同的作业：{count}（{detail}）",
    ),
    "gap_untold": Phrase(
        "verdicts of the ledger without a statement in the log: {count}",
        "台账中有、日志里没有声明的判定：{count}",
    ),
    "gap_unannounced": Phrase(
        "runs that nobody announced by signature before they began: {count} (that nothing else was"
        " run is the gate's word)",
        "开始前没有签名登记的运行：{count}（没有运行过别的，只凭门禁的说法）",
    ),
    "gap_given": Phrase(
        "verdicts that count approvals: {count} (that these people agreed is the gate's word)",
        "计入了批准的判定：{count}（这些人是否同意，只凭门禁的说法）",
    ),
    "gap_witnesses": Phrase(
        "lines of the checkpoint by keys that are not known here: {count}",
        "检查点中来自未知密钥的签名行：{count}",
    ),
    "gap_closed": Phrase(
        "that the public rows are those of the private cases: no line was opened"
        " (llmops bundle --open)",
        "公开数据与未公开用例的对应：没有公开任何原文（llmops bundle --open）",
    ),
    "gap_answers": Phrase(
        "that models and judges answered as the rows say: who ran them signed for that",
        "模型和评审确实给出了这些回答：由执行方签名负责",
    ),
    "gap_history": Phrase(
        "that nobody was shown another history: keep this one with --checkpoint FILE",
        "没有人看到过另一份历史：用 --checkpoint FILE 记下这一份",
    ),
    "gap_rewritten": Phrase(
        "{count} commits on which verdicts rest are not on the branch any more ({detail}): its"
        " history was written anew, and each step of the new one was looked at",
        "判定所依据的 {count} 个提交已不在该分支上（{detail}）：分支历史被改写，"
        "已逐一检查新历史的每一步",
    ),
    "landed": Phrase(
        "landed: {steps} steps: {judged} as judged, {derived} derived from kept evidence,"
        " {unchanged} without a change, {unjudged} not judged",
        "合入：{steps} 步，其中 {judged} 步即被判定的代码树，{derived} 步由已保存的证据推出，"
        "{unchanged} 步没有改动，{unjudged} 步未经判定",
    ),
    "gap_landed": Phrase(
        "that what landed is what was judged: --git DIR", "合入的就是被判定的：--git DIR"
    ),
}  # fmt: skip


def text(answer: Answer, lang: Lang = "en") -> str:
    """All of it; the last lines are the answer and what it does not show."""
    told = _Told(lang)
    parts = (
        list(told.flaws(answer)),
        [told.say("checked", **{k: f"{v:,}" for k, v in answer.counts.items()})],
        list(told.verdicts(answer)),
        list(told.landed(answer)),
        [told.headline(answer), *(f"  {line}" for line in told.stands(answer))],
        list(told.gaps(answer)),
    )
    return "\n".join("\n".join(part) for part in parts if part)


def as_json(answer: Answer) -> str:
    """The same for programs: every flaw, in one order of keys."""
    said = {
        "format_version": FORMAT_VERSION,
        "verified": answer.verified,
        "reason": answer.flaws[0].reason if answer.flaws else "",
        "name": answer.name,
        "anchor": answer.anchor,
        "trust_root": answer.trust_root,
        "log": _log(answer),
        "counts": dict(answer.counts),
        "verdicts": [_verdict(one) for one in answer.verdicts],
        "landed": [_landed(one) for one in answer.landed],
        "flaws": [_flaw(one) for one in answer.flaws],
        "not_shown": [_gap(one) for one in answer.not_shown],
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


def _log(answer: Answer) -> dict[str, Any] | None:
    if answer.log is None:
        return None
    return {"origin": answer.log.origin, "size": answer.log.size, "root": answer.log.root}


def _verdict(one: Judged) -> dict[str, Any]:
    return {
        "entry": one.entry,
        "outcome": one.outcome,
        "tree": one.tree,
        "change": one.change,
        "judged_at": one.judged_at,
        "derived": one.derived,
    }


def _landed(one: Landed) -> dict[str, Any]:
    return {
        "commit": one.commit,
        "tree": one.tree,
        "at": one.at,
        "state": one.state,
        "why": one.why,
        "entry": one.entry,
    }


def _flaw(one: Flaw) -> dict[str, Any]:
    return {
        "reason": one.reason,
        "what": one.what,
        "hint": one.hint,
        "entry": one.entry,
        "file": one.file,
        "offset": one.offset,
        "number": one.number,
    }


def _gap(one: Unshown) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "count": one.count,
        "what": _PHRASES[f"gap_{one.kind}"].en.format(count=one.count, detail=one.detail),
    }


class _Told:
    """Says things in one language."""

    def __init__(self, lang: Lang) -> None:
        self._lang: Lang = lang

    def say(self, name: str, **values: str) -> str:
        """A phrase with its values."""
        phrase: str = getattr(_PHRASES[name], self._lang)
        return phrase.format(**values)

    def flaws(self, answer: Answer) -> Iterator[str]:
        """Each flaw with its place, the worst first."""
        for flaw in answer.flaws[:MOST]:
            place = " ".join(self._place(flaw))
            reason = self.say(flaw.reason)
            yield f"{place}: {reason}: {flaw.what}" if place else f"{reason}: {flaw.what}"
            if flaw.hint:
                yield f"  {self.say('hint', hint=flaw.hint)}"
        if len(answer.flaws) > MOST:
            yield self.say("more", count=f"{len(answer.flaws) - MOST:,}")

    def _place(self, flaw: Flaw) -> Iterator[str]:
        if flaw.file:
            yield flaw.file
        if flaw.offset is not None:
            yield self.say("byte", offset=f"{flaw.offset:,}")
        if flaw.entry is not None:
            yield self.say("entry", entry=str(flaw.entry))
        if flaw.number:
            yield flaw.number

    def verdicts(self, answer: Answer) -> Iterator[str]:
        """One line for each verdict."""
        for one in answer.verdicts[-MOST:]:
            entry = self.say("entry", entry=str(one.entry))
            ends = self.say("follows" if one.derived else "stands")
            change = f"  {printable(one.change, 60)}" if one.change else ""
            told = f"{printable(one.outcome, 20):<12}  {printable(one.tree, 40)[:12]}"
            yield f"  {entry:<10}  {told}  {_day(one.judged_at)}  {ends}{change}"

    def landed(self, answer: Answer) -> Iterator[str]:
        """How many steps of the branch are what; those that are not judged are flaws."""
        if answer.landed:
            states = get_args(LandedState)
            each = {s: f"{sum(one.state == s for one in answer.landed):,}" for s in states}
            yield self.say("landed", steps=f"{len(answer.landed):,}", **each)

    def headline(self, answer: Answer) -> str:
        """The answer in one line."""
        if answer.flaws:
            alone = all(flaw.reason == "unanchored" for flaw in answer.flaws)
            head = self.say("consistent" if alone else "not_verified")
            reason = self.say(answer.flaws[0].reason)
            many = "because_one" if len(answer.flaws) == 1 else "because"
            return self.say(many, head=head, reason=reason, count=f"{len(answer.flaws):,}")
        counts = {name: f"{value:,}" for name, value in answer.counts.items()}
        head = self.say("verified" if answer.verified else "not_verified")
        if not answer.verdicts:
            return self.say("no_verdict", head=head, entries=counts["entries"])
        return self.say("follow", head=head, **counts)

    def stands(self, answer: Answer) -> Iterator[str]:
        """Which log, by which root."""
        if answer.log is None:
            yield self.say("no_log")
        else:
            seen = answer.log
            origin, size = printable(seen.origin, 200), f"{seen.size:,}"
            yield self.say("log", origin=origin, size=size, root=seen.root)
        if answer.trust_root and answer.anchor:
            yield self.say("root", root=answer.trust_root, anchor=answer.anchor)
        elif answer.trust_root:
            yield self.say("root_alone", root=answer.trust_root)

    def gaps(self, answer: Answer) -> Iterator[str]:
        """What none of this shows."""
        if answer.not_shown:
            yield self.say("gaps")
        for gap in answer.not_shown:
            said = self.say(f"gap_{gap.kind}", count=f"{gap.count:,}", detail=gap.detail)
            yield f"  {said}"


def _day(text: str) -> str:
    try:
        return shown(in_utc(text))
    except ValueError:
        return printable(text, 30)
