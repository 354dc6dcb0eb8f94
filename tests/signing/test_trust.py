from __future__ import annotations

from collections.abc import Callable

import pytest

from llmops.errors import UsageError
from llmops.signing.trust import lost, of_tree, path_of
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.keyring import after, person, root_of, signed

ANN, BOB = person("ann"), person("bob")
FIRST = root_of(ANN)
FILES = {path_of(1): signed(FIRST, ANN), path_of(2): signed(after(FIRST), ANN)}


def refused(repo: GitRepo) -> str:
    with pytest.raises(UsageError) as caught:
        of_tree(Repository.find(repo.path).work_tree())
    return caught.value.message


def test_a_tree_without_roots_has_none(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo({"policies/default.yaml": "x\n"})
    assert of_tree(Repository.find(repo.path).tree("HEAD")) is None


def test_a_trees_roots_are_read_in_the_order_of_their_numbers(
    git_repo: Callable[..., GitRepo],
) -> None:
    files, before = {path_of(1): signed(FIRST, ANN)}, FIRST
    for version in range(2, 12):
        before = after(before)
        files[path_of(version)] = signed(before, ANN)
    found = of_tree(Repository.find(git_repo(files).path).tree("HEAD"))
    assert found is not None
    assert [root.version for root in found.roots] == list(range(1, 12))


def test_a_root_that_is_missing_is_named(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(FILES)
    repo.write({path_of(1): None})
    assert refused(repo).startswith("policies/trust/1.root.json is not there")


def test_a_root_that_too_few_signed_is_refused(git_repo: Callable[..., GitRepo]) -> None:
    two = root_of(ANN, BOB, threshold=2)
    repo = git_repo({path_of(1): signed(two, ANN)})
    assert refused(repo) == (
        "policies/trust/1.root.json: signed by 1 of the 2 owners that trust root 1 asks for"
    )


@pytest.mark.parametrize("name", ["root.json", "01.root.json", "0.root.json", "a/3.root.json"])
def test_what_is_no_root_has_no_place_there(git_repo: Callable[..., GitRepo], name: str) -> None:
    repo = git_repo(FILES | {f"policies/trust/{name}": b"{}"})
    assert refused(repo) == f"policies/trust/{name} is no trust root"


def test_a_link_is_no_root(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(FILES)
    repo.write({path_of(2): None})
    (repo.path / path_of(2)).symlink_to("1.root.json")
    assert refused(repo).startswith("policies/trust/2.root.json is not there or no plain file")


def test_a_head_that_takes_back_what_base_trusts_is_named(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(FILES)
    other = root_of(BOB)

    def against(files: dict[str, bytes | None]) -> str:
        repo.git("reset", "--quiet", "--hard", "HEAD")
        repo.git("clean", "--quiet", "--force", "-d")
        repo.write(files)
        found = Repository.find(repo.path)
        return lost(found.work_tree(), found.tree("HEAD"))

    assert against({}) == ""
    assert against({path_of(3): signed(after(after(FIRST)), ANN)}) == ""
    assert against({path_of(2): None}) == path_of(2)
    assert against({path_of(1): None, path_of(2): None}) == path_of(1)
    assert against({path_of(1): signed(other, BOB), path_of(2): None}) == path_of(1)
    unlike = after(FIRST, revoked={})
    assert against({path_of(2): signed(unlike, ANN)}) == "", "the same root, signed again"


def test_whatever_mends_a_base_that_has_no_chain_is_right(
    git_repo: Callable[..., GitRepo],
) -> None:
    repo = git_repo({path_of(2): FILES[path_of(2)]})
    repo.write(FILES)
    found = Repository.find(repo.path)
    assert lost(found.work_tree(), found.tree("HEAD")) == ""
