"""What an auditor receives: the whole log, what verdicts rest on, and no text of a case."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.audit import bundle, container, index, opened
from llmops.audit.bundle import Asked, Made
from llmops.audit.source import Bundle, Clone
from llmops.digest import of_bytes
from llmops.errors import LogError, UsageError
from llmops.evidence import public
from llmops.log.base import Known
from llmops.log.branch import Log
from llmops.log.redact import redaction
from llmops.project import Project, read
from llmops.source.tree import Repository
from tests.audit.small import DATA, PEN, SECRET, SHOTS, Small, report, small
from tests.conftest import GitRepo
from tests.evidence.conftest import Maker


def nothing(_bundle: Bundle) -> Mapping[str, bytes]:
    return {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """One that tests only read."""
    return small(tmp_path_factory.mktemp("audit"))


def made(world: Small, asked: Asked | None = None) -> Made:
    return bundle.made(world.clone, world.store, asked or Asked(), nothing)


def received(found: Made) -> Bundle:
    return Bundle.of("bundle", container.encode(found.files))


def test_a_bundle_is_the_same_every_time_and_nothing_in_it_is_damaged(world: Small) -> None:
    first, second = (container.encode(made(world).files) for _ in range(2))
    assert first == second
    found = Bundle.of("bundle", first)
    assert list(found.flaws()) == []
    assert found.strange == ()


def test_a_bundle_is_the_log_as_the_branch_has_it(world: Small) -> None:
    found, there = received(made(world)), world.clone
    assert found.checkpoint() == there.checkpoint()
    assert list(found.entries()) == list(there.entries())
    assert found.digests == there.digests
    assert list(found.many(sorted(found.digests))) == list(there.many(sorted(there.digests)))


def test_no_text_of_a_case_is_in_a_bundle(world: Small) -> None:
    data = container.encode(made(world).files)
    for word in ("Beispiel", "Ligusterallee"):
        assert word.encode() not in data
    assert SHOTS.encode() in data  # specs are no cases


def test_judged_trees_can_be_read_from_a_bundle(world: Small) -> None:
    found = received(made(world))
    for named in (world.given.base, world.given.head):
        assert named is not None
        real, tree = world.tree(named.tree), found.tree(named.tree, named.label, named.commit)
        assert tree is not None
        assert list(tree.blobs()) == list(real.blobs())
        assert tree.digests([DATA]) == real.digests([DATA])
        assert tree.subtree("policies") == real.subtree("policies")
        project = Project(world.log.repository, world.repo.path / "reports")
        both = [read(project, one, project.blobs()) for one in (real, tree)]
        assert both[0].graph is not None
        assert both[1].graph is not None
        assert both[0].graph.specs == both[1].graph.specs
        assert both[0].graph.files == both[1].graph.files
    assert found.tree("0" * 40, "", None) is None


def test_files_of_datasets_and_files_that_nobody_reads_stay_away(world: Small) -> None:
    found = received(made(world))
    tree = world.tree("main")
    there = {oid for name in found.contents if (oid := index.object_at(name))}
    blobs = {path: blob.oid in there for path, blob in tree.blobs().items()}
    away = {path for path, given in blobs.items() if not given}
    assert away == {DATA, "notes/private.txt", "src/main.py"}
    assert list(found.withheld()) == [tree.blobs()[DATA].oid]


def test_every_object_is_one_that_a_judged_tree_needs(world: Small) -> None:
    files = dict(made(world).files)
    found = received(made(world))
    assert world.given.base is not None
    trees = [t for n in (world.given.base, world.given.head) if (t := found.tree(n.tree, "", None))]
    assert list(found.left_over(trees)) == []
    more = b"blob 5\0hello"
    oid = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"
    files[index.object_path(oid)] = more
    files[index.NAME] = index.made(files)
    (flaw,) = Bundle.of("bundle", container.encode(files)).left_over(trees)
    assert (flaw.reason, flaw.file) == ("tampered", index.object_path(oid))


def test_a_repository_may_name_its_objects_by_sha256(tmp_path: Path) -> None:
    world = small(tmp_path, ids="sha256")
    found = received(made(world))
    tree = found.tree(world.given.head.tree, "", None)
    assert tree is not None
    assert len(tree.oid) == 64
    assert list(tree.blobs()) == list(world.tree("main").blobs())
    assert list(found.left_over([tree, world.tree("main~1")])) == []


def test_lines_are_shown_as_a_seed_chooses_them_and_hold(world: Small) -> None:
    found = made(world, Asked(4, "what the auditor says"))
    assert found.shown is not None
    assert len(found.shown.shown) == 4
    said = received(found).opened
    assert said is not None
    assert SECRET in found.files[index.OPENINGS].decode()
    forms = {public.header(form).of: form for form in _forms(found)}
    assert list(opened.problems(said, forms)) == []
    others = made(world, Asked(4, "something else")).shown
    assert others is not None
    assert [line for line, _ in others.lines] != [line for line, _ in said.lines]


def test_without_a_seed_the_log_chooses(world: Small) -> None:
    found = made(world, Asked(2)).shown
    assert found is not None
    assert found.seed == json.loads(made(world).files[index.NAME])["root"]
    assert len(base64.b64decode(found.seed)) == 32


def test_more_lines_than_there_are_is_all_of_them(world: Small) -> None:
    found = made(world, Asked(1000)).shown
    assert found is not None
    assert len(found.shown) == 9


def test_lines_that_were_chosen_otherwise_are_seen(world: Small) -> None:
    found = made(world, Asked(3, "seed"))
    assert found.shown is not None
    forms = {public.header(form).of: form for form in _forms(found)}
    lines = found.shown.lines
    for other in (lines[:2], lines[::-1], (*lines, lines[0]), ()):
        wrong = opened.Openings("seed", 3, other)
        assert next(line for line, _ in opened.problems(wrong, forms)) is None
    assert list(opened.problems(opened.Openings("other", 3, lines), forms))
    assert next(line for line, _ in opened.problems(found.shown, {})) is None


def test_a_line_whose_artifact_is_not_here_is_told(tmp_path: Path) -> None:
    world = small(tmp_path)
    path = next(world.store.root.glob("runs/*/artifacts/rows.jsonl"))
    data = path.read_bytes()
    for spoil in (lambda: path.write_bytes(data + b"{}\n"), path.unlink):
        spoil()
        found = made(world, Asked(2))
        assert found.shown is not None
        assert found.shown.shown == ()
        assert found.notes == ("2 chosen cases: the artifact is not here",)
        assert opened.decode(found.files[index.OPENINGS]) == found.shown


def test_a_job_that_ran_again_since_shows_no_line_of_the_run_before(tmp_path: Path) -> None:
    world = small(tmp_path)
    other = Maker(world.store).run("q", {"rows.jsonl": b"{}\n"}, finished_at="2026-11-22T09:00:00Z")
    world.store.keep(*other)
    found = made(world, Asked(2))
    assert found.shown is not None
    assert found.shown.shown == ()
    assert found.notes == ("2 chosen cases: the artifact is not here",)


def test_what_a_redaction_took_away_is_not_in_a_bundle(tmp_path: Path) -> None:
    world = small(tmp_path)
    (digest,) = world.clone.digests
    entry = redaction(digest, "erasure asked for", "2026-11-22T10:00:00Z", PEN)
    world.log.append(lambda _known: [entry], (), PEN)
    found = made(world, Asked(3))
    assert received(found).digests == frozenset()
    assert list(received(found).entries())[-1] == entry
    assert found.shown is not None
    assert found.shown.lines == ()
    assert found.notes == ()


def test_a_redacted_blob_that_somebody_brought_back_stays_out(tmp_path: Path) -> None:
    world = small(tmp_path)
    ((digest, data),) = world.clone.many(sorted(world.clone.digests))
    assert data is not None
    entry = redaction(digest, "erasure asked for", "2026-11-22T10:00:00Z", PEN)
    world.log.append(lambda _known: [entry], (), PEN)
    bare = digest.removeprefix("sha256:")
    _pushed(world, {f"blobs/sha256/{bare[:2]}/{bare}": data.decode()})
    assert world.clone.digests == {digest}
    assert received(made(world)).digests == frozenset()


def test_what_no_run_discloses_is_left_out_and_told(tmp_path: Path) -> None:
    world = small(tmp_path)
    name = of_bytes(SECRET.encode()).removeprefix("sha256:")
    _pushed(world, {f"blobs/sha256/{name[:2]}/{name}": SECRET, "readme.txt": SECRET})
    found = made(world)
    assert SECRET.encode() not in container.encode(found.files)
    assert found.notes == (
        "1 file on the branch that no log has: left out",
        "1 blob that no run discloses: left out",
    )


def test_a_branch_that_lost_an_entry_has_no_bundle(tmp_path: Path) -> None:
    world = small(tmp_path)
    _pushed(world, {"entries/00000/00000000.json": None})
    with pytest.raises(LogError, match=r"entries/00000/00000000.json of llmops-log is gone"):
        made(world)


def test_a_branch_with_something_else_than_an_entry_has_no_bundle(tmp_path: Path) -> None:
    world = small(tmp_path)
    _pushed(world, {"entries/00000/00000001.json": "{}"})
    with pytest.raises(LogError, match="an entry is no envelope"):
        made(world)


def test_a_tree_that_git_does_not_have_is_told(tmp_path: Path) -> None:
    world = small(tmp_path)
    gone = replace(world.given.head, tree="1" * 40, label="pull request 7")
    world.append(report(replace(world.given, head=gone)))
    found = made(world)
    assert found.verdicts == 2
    assert found.notes == (
        "tree 111111111111 (pull request 7) is not in the bundle: git does not have it",
    )


@pytest.mark.parametrize("tree", ["main", "HEAD", "--help", "../x", "", "main^{tree}"])
def test_a_name_is_no_tree(world: Small, tree: str) -> None:
    assert world.clone.tree(tree, "", None) is None
    assert received(made(world)).tree(tree, "", None) is None


def test_a_repository_without_a_log_has_no_bundle(git_repo) -> None:  # type: ignore[no-untyped-def]
    repository = Repository.find(git_repo({"a": "1"}).path)
    clone = Clone(repository, Log(repository).source())
    with pytest.raises(UsageError, match="no log to bundle"):
        bundle.made(clone, None, Asked(), nothing)  # type: ignore[arg-type]


def test_pages_are_made_from_the_bundle_alone(world: Small) -> None:
    seen: list[Bundle] = []

    def pages(found: Bundle) -> Mapping[str, bytes]:
        seen.append(found)
        return {"report/report.html": b"<p>"}

    found = received(bundle.made(world.clone, world.store, Asked(), pages))
    assert found.pages() == {"report/report.html": b"<p>"}
    assert list(found.flaws()) == []
    assert list(seen[0].flaws()) == []
    assert Known(tuple(seen[0].entries())).size == 2


def _forms(found: Made) -> Iterator[bytes]:
    return (data for name, data in found.files.items() if index.blob_at(name) is not None)


def _pushed(world: Small, files: Mapping[str, str | None]) -> None:
    """Somebody commits to the branch of the log by hand."""
    place = world.repo.path.parent / "by-hand"
    world.repo.git("worktree", "add", "--quiet", str(place), "llmops-log")
    GitRepo(place).commit(files)
