"""What landed is what was judged: real git, real verdicts, and every way in which a tree comes in.

Each story begins with a copy of a repository in which one change passed and landed, one failed and
one is inconclusive. `states` is what `verify --git` says of each step of main since the log began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from llmops.audit.base import Answer
from llmops.audit.landed import Branch
from llmops.audit.source import Clone
from llmops.audit.verify import Asked, verify
from llmops.errors import UsageError
from llmops.source.tree import Repository
from tests.audit.world import GOOD, RECIPE, ROOT, TORN, World, story
from tests.conftest import GitRepo

WHO = ("author ", "committer ")
MORE, OTHER = ("max_steps: 10", "max_steps: 20"), ("seed: 1", "seed: 3")
BELOW = "specs/recipes/base.yaml"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return story(tmp_path / "world")


def asked(world: World, *, clone: Path | None = None, branch: str = "") -> Answer:
    """What an auditor is told who knows the trust root."""
    repository = Repository.find(world.repo.path)
    looked = Branch(Repository.find(clone) if clone else repository, branch)
    pins = {ROOT.digest: "--root"}
    return verify(Clone(repository, world.log), Asked("2027-01-01T00:00:00Z", pins, branch=looked))


def states(world: World, **more: object) -> list[str]:
    """The state of each step, oldest first; an unjudged one is always named as a flaw."""
    answer = asked(world, **more)  # type: ignore[arg-type]
    unjudged = {one.commit for one in answer.landed if one.state == "unjudged"}
    named = {flaw.number: flaw.what for flaw in answer.flaws if flaw.reason == "git"}
    assert unjudged == named.keys()
    for one in answer.landed:
        if one.state == "unjudged":
            words = named[one.commit]
            assert one.commit[:12] in words
            assert one.tree[:12] in words
            assert one.at in words
            assert one.why
    assert answer.verified is (not answer.flaws)
    others = [flaw for flaw in answer.flaws if flaw.reason != "git"]
    assert not others, others
    return [one.state for one in answer.landed]


def judged(world: World, branch: str, edit: tuple[str, str], **more: str) -> str:
    """A change that was run and that its verdict let land."""
    world.run(world.change(branch, edit, **more))
    assert world.gate(branch).outcome.word in ("passed", "warned")
    return branch


def write(repo: GitRepo, files: Mapping[str, str], message: str = "x") -> str:
    repo.commit(dict(files), message)
    return repo.git("rev-parse", "HEAD")


def text(repo: GitRepo, path: str = RECIPE) -> str:
    return (repo.path / path).read_text("utf-8")


# ---- ways in which judged content lands ---------------------------------------------------------


def test_a_merge_commit_of_a_judged_change_is_judged(world: World) -> None:
    answer = asked(world)
    assert [one.state for one in answer.landed] == ["judged"]
    assert answer.verified
    assert answer.landed[0].entry == answer.verdicts[0].entry


@pytest.mark.slow
def test_squash_and_rebase_of_a_judged_change_are_judged(world: World) -> None:
    judged(world, "squashed", MORE)
    world.repo.git("merge", "--quiet", "--squash", "squashed")
    world.repo.git("commit", "--quiet", "-m", "one commit of another author")
    judged(world, "rebased", ("max_steps: 20", "max_steps: 30"))
    world.repo.git("rebase", "--quiet", "--force-rebase", "main", "rebased")
    world.repo.git("switch", "--quiet", "main")
    world.repo.git("merge", "--quiet", "--ff-only", "rebased")
    assert states(world) == ["judged"] * 3


def test_an_empty_commit_changes_nothing_and_its_merge_neither(world: World) -> None:
    world.repo.git("commit", "--quiet", "--allow-empty", "-m", "nothing")
    world.repo.git("switch", "--quiet", "--create", "idle")
    world.repo.git("commit", "--quiet", "--allow-empty", "-m", "nothing")
    world.repo.git("switch", "--quiet", "main")
    world.land("idle")
    assert states(world) == ["judged", "unchanged", "unchanged"]


def test_a_change_of_words_alone_follows_from_kept_evidence(world: World) -> None:
    write(world.repo, {"README.md": "words\n"})
    write(world.repo, {RECIPE: f"# words\n{text(world.repo)}"})
    assert states(world) == ["judged", "derived", "derived"]


def test_a_revert_of_a_revert_is_what_was_judged(world: World) -> None:
    merge = world.repo.git("rev-parse", "HEAD")
    world.repo.git("revert", "--no-edit", "-m", "1", merge)
    world.repo.git("revert", "--no-edit", "HEAD")
    assert states(world)[0::2] == ["judged", "judged"]


@pytest.mark.slow
def test_a_judged_change_lands_on_a_base_that_moved_elsewhere(world: World) -> None:
    judged(world, "late", MORE)
    write(world.repo, {"README.md": "words\n"})
    world.land("late")
    assert states(world) == ["judged", "derived", "derived"]


@pytest.mark.slow
def test_a_queue_lands_its_groups_in_order_and_when_reordered(world: World) -> None:
    """Two judged changes, judged once more as groups of a queue; then they land the other way."""
    judged(world, "one", MORE)
    world.repo.git("switch", "--quiet", "--create", "two", "main")
    write(world.repo, {"docs/two.md": "two\n"})
    world.run("two")
    world.gate("two")
    world.repo.git("switch", "--quiet", "--create", "queue", "main")
    world.repo.git("merge", "--quiet", "--no-ff", "--no-edit", "one")
    world.repo.git("merge", "--quiet", "--no-ff", "--no-edit", "two")
    world.run("queue")
    world.gate("queue")
    world.repo.git("switch", "--quiet", "main")
    world.land("two")
    world.land("one")
    assert states(world) == ["judged", "judged", "derived"]


@pytest.mark.slow
def test_what_was_landed_and_judged_after_it_is_judged(world: World) -> None:
    """The post-merge gate judges a landed commit against its first parent."""
    commit = write(world.repo, {RECIPE: text(world.repo).replace(*MORE)})
    assert states(world) == ["judged", "unjudged"]
    before = world.repo.git("rev-parse", "HEAD^")
    world.run(commit, base=before)
    world.gate(commit, base=before)
    assert states(world) == ["judged", "judged"]


# ---- ways in which something else lands ---------------------------------------------------------


def pushed_after_the_check(world: World) -> None:
    judged(world, "late", MORE)
    world.repo.git("switch", "--quiet", "late")
    write(world.repo, {RECIPE: text(world.repo).replace(MORE[1], "max_steps: 40")})
    world.repo.git("switch", "--quiet", "main")
    world.land("late")


def failed_and_merged(world: World) -> None:
    world.repo.git("merge", "--quiet", "-s", "ours", "--no-commit", "--no-ff", "bad")
    world.repo.git("read-tree", "-m", "-u", "bad^{tree}")
    world.repo.git("commit", "--quiet", "-m", "bad wins")


def undecided_and_merged(world: World) -> None:
    world.run(world.change("split", TORN))
    assert world.gate("split").outcome.word == "inconclusive"
    world.land("split")


def merged_by_hand(world: World) -> None:
    """An evil merge: the merge commit itself brings what neither side has."""
    judged(world, "nice", MORE)
    world.repo.git("merge", "--quiet", "--no-ff", "--no-commit", "nice")
    file = world.repo.path / RECIPE
    file.write_text(text(world.repo).replace(MORE[1], "max_steps: 21"))
    world.repo.git("commit", "--quiet", "-a", "-m", "Merge branch 'nice'")


def octopus(world: World) -> None:
    for name in ("a", "b"):
        world.repo.git("switch", "--quiet", "--create", name, "main")
        write(world.repo, {f"docs/{name}.md": name})
    world.repo.git("switch", "--quiet", "--create", "c", "main")
    write(world.repo, {RECIPE: text(world.repo).replace("r: 16", "r: 48")})
    world.repo.git("switch", "--quiet", "main")
    world.repo.git("merge", "--quiet", "--no-edit", "a", "b", "c")


def two_at_once(world: World) -> None:
    """Each is judged alone, and what they are together was judged by nobody."""
    judged(world, "one", MORE)
    judged(world, "two", OTHER, path=BELOW)
    world.land("one")
    world.land("two")


def base_moved_under_it(world: World) -> None:
    judged(world, "late", MORE)
    judged(world, "first", OTHER, path=BELOW)
    world.land("first")
    world.repo.git("rebase", "--quiet", "main", "late")
    world.repo.git("switch", "--quiet", "main")
    world.repo.git("merge", "--quiet", "--ff-only", "late")


def pushed_by_hand(world: World) -> None:
    write(world.repo, {RECIPE: text(world.repo).replace("r: 16", "r: 99")})


def loosened_by_hand(world: World) -> None:
    """No job runs anew: only what must hold is less than it was."""
    path = "specs/evaluations/quality.yaml"
    name = next(p for p in (path, *_evaluations(world)) if (world.repo.path / p).exists())
    old = text(world.repo, name)
    assert "min: 0." in old
    head, _, rest = old.partition("min: 0.")
    write(world.repo, {name: f"{head}min: 0.0{rest[1:]}"})


def tightened_and_then_undone_by_a_merge(world: World) -> None:
    """A judged tree that lands over a base which asks more than the one it was judged on."""
    judged(world, "late", MORE)
    tree = world.repo.git("rev-parse", "late^{tree}")
    loosened_by_hand_upside_down(world)
    commit = world.repo.git("commit-tree", tree, "-p", "main", "-p", "late", "-m", "merge")
    world.repo.git("reset", "--quiet", "--hard", commit)


def loosened_by_hand_upside_down(world: World) -> None:
    name = next(iter(_evaluations(world)))
    old = text(world.repo, name)
    head, _, rest = old.partition("min: 0.")
    write(world.repo, {name: f"{head}min: 0.99{rest[1:]}"})


def policy_taken_away(world: World) -> None:
    (world.repo.path / "policies/default.yaml").unlink()
    world.repo.git("commit", "--quiet", "-a", "-m", "no policy")


def submodule_for_specs(world: World) -> None:
    commit = world.repo.git("rev-parse", "HEAD")
    world.repo.git("rm", "-r", "--quiet", "specs/evaluations")
    world.repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},specs/evaluations")
    world.repo.git("commit", "--quiet", "-m", "specs elsewhere")


def _evaluations(world: World) -> list[str]:
    found = sorted((world.repo.path / "specs").glob("evaluations/*.yaml"))
    return [path.relative_to(world.repo.path).as_posix() for path in found]


@pytest.mark.parametrize(
    "land",
    [
        failed_and_merged, pushed_by_hand, loosened_by_hand, policy_taken_away,
        *(pytest.param(land, marks=pytest.mark.slow) for land in (
            pushed_after_the_check, undecided_and_merged, merged_by_hand, octopus,
            two_at_once, base_moved_under_it,
            tightened_and_then_undone_by_a_merge, submodule_for_specs,
        )),
    ],
    ids=lambda land: land.__name__,
)  # fmt: skip
def test_what_was_not_judged_is_named(world: World, land: Callable[[World], None]) -> None:
    land(world)
    assert states(world)[-1] == "unjudged"
    assert not asked(world).verified


@pytest.mark.slow
def test_reverting_what_was_not_judged_leaves_it_named(world: World) -> None:
    pushed_by_hand(world)
    world.repo.git("revert", "--no-edit", "HEAD")
    found = states(world)
    assert found[:2] == ["judged", "unjudged"]


# ---- branches -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_main_that_was_written_anew_is_looked_at_from_the_start(world: World) -> None:
    """Force-push: the base of every verdict is gone, and what stands there now is named."""
    first = world.repo.git("rev-list", "--max-parents=0", "HEAD")
    tree = world.repo.git("rev-parse", f"{first}^{{tree}}")
    anew = world.repo.git("commit-tree", tree, "-m", "the same, anew")
    world.repo.git("reset", "--quiet", "--hard", anew)
    write(world.repo, {RECIPE: text(world.repo).replace(GOOD[0], "r: 77")})
    write(world.repo, {RECIPE: text(world.repo).replace("r: 77", GOOD[1])})
    answer = asked(world)
    assert [one.state for one in answer.landed] == ["unjudged", "unjudged"]
    assert any(one.kind == "rewritten" for one in answer.not_shown)


def test_a_force_push_to_judged_trees_is_judged_and_told(world: World) -> None:
    first = world.repo.git("rev-list", "--max-parents=0", "HEAD")
    trees = [world.repo.git("rev-parse", f"{rev}^{{tree}}") for rev in (first, "good")]
    anew = world.repo.git("commit-tree", trees[0], "-m", "anew")
    anew = world.repo.git("commit-tree", trees[1], "-p", anew, "-m", "good, anew")
    world.repo.git("reset", "--quiet", "--hard", anew)
    answer = asked(world)
    assert [one.state for one in answer.landed] == ["judged"]
    assert answer.verified
    (told,) = (one for one in answer.not_shown if one.kind == "rewritten")
    assert told.count == 2


@pytest.mark.slow
def test_a_clone_is_looked_at_by_what_its_server_has(world: World, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    world.repo.git("clone", "--quiet", str(world.repo.path), str(clone))
    pushed_by_hand(world)
    assert states(world, clone=clone) == ["judged"]
    GitRepo(clone).git("fetch", "--quiet", "origin")
    assert states(world, clone=clone) == ["judged", "unjudged"]


def test_a_history_that_was_cut_is_no_answer(world: World, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    world.repo.git("clone", "--quiet", "--depth", "1", f"file://{world.repo.path}", str(clone))
    with pytest.raises(UsageError, match="was cut"):
        asked(world, clone=clone)
    with pytest.raises(UsageError, match='no branch "trunk"'):
        asked(world, branch="trunk")


@pytest.mark.parametrize("at", ["946684800", "2145916800"])
def test_the_times_that_a_commit_states_change_no_answer(
    world: World, tmp_path: Path, at: str
) -> None:
    write(world.repo, {"README.md": "words\n"})
    lines = world.repo.git("cat-file", "-p", "HEAD").splitlines()
    dated = [f"{x.rsplit(' ', 2)[0]} {at} +0000" if x.startswith(WHO) else x for x in lines]
    (tmp_path / "commit").write_text("\n".join(dated) + "\n")
    made = world.repo.git("hash-object", "-t", "commit", "-w", str(tmp_path / "commit"))
    world.repo.git("reset", "--quiet", "--hard", made)
    assert states(world) == ["judged", "derived"]
