"""What the demo's forger makes: all digests are right again, and it is caught all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.audit import bundle, container, index
from llmops.audit.source import Bundle, Clone
from llmops.audit.verify import Asked, newest_pages, verify
from llmops.cli.forged import forged
from tests.audit import world

NOW = "2099-01-01T00:00:00Z"


def test_a_forged_row_with_every_digest_anew_is_caught_by_signatures_alone(tmp_path: Path) -> None:
    story = world.story(tmp_path / "world")
    clone = Clone(story.project.repository, story.log)
    made = bundle.made(clone, story.project.store, bundle.Asked(), newest_pages)
    honest = container.encode(made.files)
    false = forged(honest)
    files = container.read(false)
    assert files.damage is None
    assert files[index.NAME] == index.made(files)
    pins = {world.ROOT.digest: "--root"}
    assert not verify(Bundle.of("honest", honest), Asked(NOW, pins)).flaws
    flaws = verify(Bundle.of("false", false), Asked(NOW, pins)).flaws
    assert any("signature" in flaw.what for flaw in flaws)
    assert {"verdict", "tampered"} <= {flaw.reason for flaw in flaws}


def test_where_every_answer_is_right_there_is_nothing_to_forge() -> None:
    with pytest.raises(ValueError, match="no answer"):
        forged(container.encode({"log/checkpoint": b""}))
