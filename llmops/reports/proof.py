"""How a reader checks a page without believing its maker: the log, and three lines to type."""

from __future__ import annotations

from llmops.reports import words
from llmops.reports.content import Absent, Block, Cell, Para, Section, Table
from llmops.reports.report import Seal
from llmops.reports.teller import Teller

BUNDLE = "bundle.zip"


def in_log(told: Teller) -> str:
    """The seal's line: which log, how long it was and its root; or that nobody signed this."""
    seal = told.report.seal
    if seal is None:
        return told.say("not_in_log")
    size = words.count(seal.size)
    return told.say("in_log", origin=seal.origin, size=size, root=seal.root)


def check(told: Teller) -> Section:
    """What proves the page, what it does not prove, and how to redo it."""
    seal = told.report.seal
    if seal is None:
        gap = Absent(told.say("gap_signed"), told.say("gap_signed_why"))
        return Section("proof", told.say("s_proof"), (gap,))
    return Section("proof", told.say("s_proof"), tuple(_blocks(told, seal)))


def commands(seal: Seal) -> tuple[str, str, str]:
    """The three lines: get the tool, check against keys that the reader knows, and remember."""
    return (
        "pip install llmops",
        f"llmops verify {BUNDLE} --root {seal.trust}",
        f"llmops verify {BUNDLE} --root {seal.trust} --checkpoint seen.json",
    )


def _blocks(told: Teller, seal: Seal) -> list[Block]:
    say = told.say
    stands = (
        (Cell(say("c_log")), Cell(seal.origin, "code")),
        (Cell(say("c_checkpoint")), Cell(f"{words.count(seal.size)} · {seal.root}", "code")),
        (Cell(say("c_entry")), Cell(words.count(seal.entry), "number")),
        (Cell(say("c_signed")), Cell(seal.statement, "code")),
        (Cell(say("c_trust")), Cell(seal.trust, "code")),
    )
    typed = tuple((Cell(line, "code"),) for line in commands(seal))
    return [
        Para(say("proof_note"), "note"),
        Table((), stands, shape="pairs", numbered=False),
        Para(say("proof_check"), "heading"),
        Table((), typed, shape="pairs", numbered=False),
        Para(say("proof_anchor")),
        Para(say("proof_limits")),
    ]
