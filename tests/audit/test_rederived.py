"""Verdicts of a real story: they follow; and whoever has all keys and rehashes is found by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmops.audit import container, index, rederived, source, verify
from llmops.audit.base import Answer, Flaw
from llmops.audit.bundle import Asked as Shown
from llmops.audit.bundle import made
from llmops.audit.source import Bundle, Clone
from llmops.log.base import EVAL_REPORT, REDACTION, RUN, VSA
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from tests.audit.forger import forged, rows_of
from tests.audit.logs import Maker, payload
from tests.audit.world import PEN, ROOT, World, story

NOW = "2027-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return story(tmp_path_factory.mktemp("rederived") / "world")


@pytest.fixture(scope="module")
def bundle(world: World) -> Bundle:
    clone = Clone(world.project.repository, world.log)
    found = made(clone, world.project.store, Shown(5, "a seed"), verify.newest_pages)
    return Bundle.of("bundle.zip", container.encode(found.files))


def looked_at(material: Any, **asked: Any) -> Answer:
    return verify.verify(material, verify.Asked(NOW, {ROOT.digest: "--root"}, **asked))


def number_of(material: Any, kind: str, last: bool = False) -> int:
    found = [i for i, entry in enumerate(material.entries()) if kind.encode() in _said(entry)]
    return found[-1 if last else 0]


def _said(entry: bytes) -> bytes:
    envelope = dsse.decode(entry)
    return envelope.payload if envelope.payload_type == IN_TOTO else b""


def worst(answer: Answer) -> Flaw:
    assert not answer.verified
    return answer.flaws[0]


def test_a_bundle_is_verified_with_every_verdict_page_and_line(bundle: Bundle) -> None:
    answer = looked_at(bundle, strict=True)
    assert answer.verified, answer.flaws
    assert [one.outcome for one in answer.verdicts] == ["passed", "failed", "inconclusive"]
    assert all(one.derived for one in answer.verdicts)
    assert (answer.counts["pages"], answer.counts["lines"], answer.counts["cells"]) == (3, 5, 5)


def test_the_repository_itself_is_verified_too(world: World) -> None:
    assert looked_at(Clone(world.project.repository, world.log), strict=True).verified


def test_a_log_that_was_only_signed_again_holds(bundle: Bundle) -> None:
    assert looked_at(forged(bundle, PEN)).verified


def test_an_outcome_that_was_turned_does_not_follow(bundle: Bundle) -> None:
    report = number_of(bundle, EVAL_REPORT, last=True)

    def turned(number: int, said: dict[str, Any]) -> None:
        if number == report:
            said["predicate"]["outcome"] = "passed"

    found = looked_at(forged(bundle, PEN, turned)).flaws
    assert Flaw(
        "verdict", "it says passed, and inconclusive follows from rows, policies and trees",
        entry=report, number="outcome",
    ) in found  # fmt: skip


def test_a_figure_that_was_bettered_is_named(bundle: Bundle) -> None:
    report = number_of(bundle, EVAL_REPORT)

    def bettered(number: int, said: dict[str, Any]) -> None:
        if number == report:
            said["predicate"]["findings"][0]["value"] = "0.999"

    found = [f for f in looked_at(forged(bundle, PEN, bettered)).flaws if f.reason == "verdict"]
    assert found[0].entry == report
    assert found[0].number == "findings/0/value"
    assert "0.999" in found[0].what


def test_a_level_that_the_verdict_did_not_earn_is_named(bundle: Bundle) -> None:
    summary = number_of(bundle, VSA, last=True)

    def better(number: int, said: dict[str, Any]) -> None:
        if number == summary:
            said["predicate"]["verificationResult"] = "PASSED"
            said["predicate"]["verifiedLevels"] = ["LLMOPS_GATE_PASSED"]

    flaw = worst(looked_at(forged(bundle, PEN, better)))
    assert (flaw.reason, flaw.entry, flaw.number) == ("verdict", summary, "verificationResult")


def test_a_row_that_was_edited_with_everything_rehashed_does_not_bear_its_verdict(
    bundle: Bundle,
) -> None:
    digest, data = rows_of(bundle, "evaluate/quality")
    better = data.replace(b'"value":0,', b'"value":1,', 3).replace(b'"value":0}', b'"value":1}', 3)
    assert better != data
    answer = looked_at(forged(bundle, PEN, blobs={digest: better}))
    assert not answer.verified
    assert "verdict" in {flaw.reason for flaw in answer.flaws}


def test_a_run_that_was_left_out_is_missed(bundle: Bundle) -> None:
    answer = looked_at(forged(bundle, PEN, drop=(number_of(bundle, RUN),)))
    assert not answer.verified
    assert {"verdict", "order"} & {flaw.reason for flaw in answer.flaws}


def test_an_attempt_that_was_left_out_is_missed(bundle: Bundle) -> None:
    number = number_of(bundle, '"kind":"attempt"')
    assert "attempts" in {f.reason for f in looked_at(forged(bundle, PEN, drop=(number,))).flaws}


def test_a_verdict_without_its_summary_is_none(bundle: Bundle) -> None:
    number = number_of(bundle, VSA, last=True)
    flaw = worst(looked_at(forged(bundle, PEN, drop=(number,))))
    assert (flaw.reason, flaw.entry) == ("incomplete", number - 2)


def test_time_is_not_turned_back(bundle: Bundle) -> None:
    report = number_of(bundle, EVAL_REPORT)

    def earlier(number: int, said: dict[str, Any]) -> None:
        if number == report:
            said["predicate"]["given"]["judged_at"] = "2026-01-02T00:00:00Z"

    found = looked_at(forged(bundle, PEN, earlier)).flaws
    assert any(f.reason == "order" and "ended at" in f.what for f in found)


GIVEN: list[tuple[str, Any]] = [
    ("log_size", "2"), ("log_root", "0" * 64), ("ledger", {"entries": "0", "last": ""}),
    ("base", None), ("files", {}),
]  # fmt: skip
MORE: list[tuple[str, Any]] = [
    ("log_size", "999999"), ("root", "sha256:00"), ("environment", "other"), ("change", "another"),
    ("runs", {}), ("judged_at", "today"), ("head", None), ("tool_version", "9.9"),
    ("head", {"label": "x", "tree": "0" * 40, "commit": None}), ("log_size", "-1"),
    ("log_size", 3), ("authors", [1]), ("missing", {"sha256:1": []}),
]  # fmt: skip


def taken_as_given(bundle: Bundle, key: str, value: Any) -> None:
    """A verdict that takes something else as given is told where it says so."""
    report = number_of(bundle, EVAL_REPORT, last=True)

    def otherwise(number: int, said: dict[str, Any]) -> None:
        if number == report:
            said["predicate"]["given"][key] = value

    flaws = [flaw for flaw in looked_at(forged(bundle, PEN, otherwise)).flaws if flaw.file == ""]
    assert flaws
    assert {flaw.entry for flaw in flaws} & {report, report + 1, report + 2}


@pytest.mark.parametrize(("key", "value"), GIVEN)
def test_what_a_verdict_takes_as_given_is_held_against_the_log(
    bundle: Bundle, key: str, value: Any
) -> None:
    taken_as_given(bundle, key, value)


@pytest.mark.slow
@pytest.mark.parametrize(("key", "value"), MORE)
def test_nothing_that_is_given_is_free(bundle: Bundle, key: str, value: Any) -> None:
    taken_as_given(bundle, key, value)


def test_a_verdict_of_another_policy_does_not_follow(bundle: Bundle) -> None:
    """A verdict that names the right trees and rests on head's weaker policy: base's judges."""
    report = number_of(bundle, EVAL_REPORT, last=True)

    def own(number: int, said: dict[str, Any]) -> None:
        if number == report:
            said["predicate"]["given"]["base"] = said["predicate"]["given"]["head"]

    assert "verdict" in {f.reason for f in looked_at(forged(bundle, PEN, own)).flaws}


def test_a_page_with_another_number_is_named_with_its_line(bundle: Bundle) -> None:
    held = forged(bundle, PEN)
    path = "report/report.html"
    page = held.shown[path]
    at = page.index(b"inconclusive")
    better = page[:at] + b"passed" + page[at + 12 :]
    flaw = worst(looked_at(replace(held, shown={**held.shown, path: better})))
    assert (flaw.reason, flaw.file, flaw.offset) == ("report", path, at)
    assert f"line {page.count(chr(10).encode(), 0, at) + 1} says" in flaw.what


def test_a_page_of_another_version_is_told_with_both_versions(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = forged(bundle, PEN)
    path = "report/report.html"
    other = replace(held, shown={**held.shown, path: held.shown[path] + b" "})
    assert worst(looked_at(other)).hint == ""
    monkeypatch.setattr(rederived, "__version__", "9.9.9")
    assert worst(looked_at(other)).hint.startswith("made by llmops 0.1.0, this is 9.9.9")


def test_a_page_that_is_missing_or_too_many_is_told(bundle: Bundle) -> None:
    held = forged(bundle, PEN)
    fewer = {name: data for name, data in held.shown.items() if not name.endswith(".json")}
    assert worst(looked_at(replace(held, shown=fewer))).reason == "incomplete"
    assert worst(looked_at(replace(held, shown={}))).reason == "incomplete"
    more = {**held.shown, "report/other.html": b"x"}
    assert worst(looked_at(replace(held, shown=more))).file == "report/other.html"


def test_a_tree_that_is_not_there_is_a_flaw_of_a_bundle_and_told_of_a_clone(
    bundle: Bundle,
) -> None:
    class Treeless(source.Bundle):
        def tree(self, oid: str, label: str, commit: str | None) -> None:
            return None

    bare = forged(bundle, PEN)
    of = Treeless(bundle.name, bundle.contents)
    assert worst(looked_at(replace(bare, of=of))).reason == "incomplete"
    clone = replace(bare, of=of, whole=False, shown={})
    answer = looked_at(clone)
    assert answer.verified
    assert [g.count for g in answer.not_shown if g.kind == "hidden"] == [3]
    assert not looked_at(clone, strict=True).verified


def test_a_spec_that_was_left_out_of_a_bundle_makes_it_incomplete(bundle: Bundle) -> None:
    kept = dict(bundle.contents)
    blobs = [n for n in kept if index.object_at(n) and b"kind: Evaluation" in kept[n]]
    del kept[blobs[0]]
    kept[index.NAME] = index.made(kept)
    answer = looked_at(Bundle.of("bundle.zip", container.encode(kept)))
    oid = index.object_at(blobs[0])
    said = [flaw.what for flaw in answer.flaws if flaw.reason == "incomplete"]
    assert f"it is not derived: object {oid} is missing" in said
    assert "verdict" not in {flaw.reason for flaw in answer.flaws}


def test_rows_that_were_redacted_leave_a_verdict_that_is_told_and_not_derived(
    bundle: Bundle,
) -> None:
    held = forged(bundle, PEN)
    digest, _ = rows_of(bundle, "evaluate/quality")
    again = Maker()
    again.entries = list(held.listed)
    subject = [{"name": "blob", "digest": {"sha256": digest[7:]}}]
    again.say(REDACTION, {"reason": "erasure", "redactedAt": "2026-12-01T00:00:00Z"}, subject, PEN)
    sealed = again.held(by=PEN)
    left = {name: data for name, data in held.blobs.items() if name != digest}
    after = replace(held, listed=sealed.listed, note=sealed.note, blobs=left, shown={})
    answer = looked_at(replace(after, whole=False))
    assert answer.verified
    assert answer.not_shown[0].kind == "hidden"
    assert not all(one.derived for one in answer.verdicts)
    assert "incomplete" in {
        f.reason for f in looked_at(replace(after, whole=False), strict=True).flaws
    }


def test_a_public_form_that_is_none_of_ours_does_not_bear_its_verdict(bundle: Bundle) -> None:
    digest, data = rows_of(bundle, "evaluate/quality")
    for broken in (b"", b"{}\n", data[:-1], data.replace(b'"lines":', b'"lines":1'), b"\xff" * 99):
        answer = looked_at(forged(bundle, PEN, blobs={digest: broken}))
        assert not answer.verified


def test_the_statements_of_the_story_are_what_auditors_are_told(bundle: Bundle) -> None:
    kinds = {payload(e)["predicateType"] for e in bundle.entries() if _said(e)}
    assert {EVAL_REPORT, RUN, VSA} <= kinds
