"""Packs of strangers: what holds is taken, all else is refused in words, and nothing half-kept."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.errors import StoreError
from llmops.evidence.admit import Admitted, Expecting, admit
from llmops.evidence.manifest import Origin
from llmops.evidence.pack import pack
from llmops.evidence.parcel import Limits
from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.gating.rescore import rescored
from llmops.jobs.base import Job
from llmops.pipeline import RunOptions, execute, jobs_of, make_plan
from llmops.project import Project, pair
from tests.conftest import GitRepo
from tests.scenarios.story import HERE, Scenario

GOOD = Scenario(HERE / "good")
ORIGIN = Origin("acme/bot", 7, 1, "a" * 40)
RUN = Expecting(7, "acme/bot", "a" * 40)


@dataclass(frozen=True)
class Made:
    """A pack of a whole plan, the jobs of that plan, and the store that made it."""

    folder: Path
    jobs: Mapping[str, Job]
    store: Store

    def closure(self, kind: str) -> str:
        return next(c for c, job in self.jobs.items() if job.type == kind)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("packed")
    repo = GitRepo(root / "repo")
    repo.path.mkdir()
    repo.git("init", "--quiet")
    repo.commit(GOOD.files("base"))
    repo.git("switch", "--quiet", "--create", "change")
    repo.commit(GOOD.files("head"))
    project = Project.find(repo.path)
    planned = make_plan(project, pair(project, "main", "change"))
    trees = [s.tree for s in (planned.both.head, planned.both.base) if s is not None]
    worker = (sys.executable, "-I", "-S", str(HERE / "worker.py"), str(GOOD.path / "world.json"))
    options = RunOptions(columns=planned.columns)
    report = execute(
        project, planned.plan.steps, trees, lambda _: None, options, LocalExecutor(worker)
    )
    assert not report.world_failed
    pack(project.store, project.store.closures(), root / "pack", ORIGIN)
    return Made(root / "pack", jobs_of(planned), project.store)


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    shutil.copytree(made.folder, tmp_path / "pack")
    return tmp_path / "pack"


@pytest.fixture
def here(tmp_path: Path) -> Store:
    return Store(tmp_path / "here" / "reports")


def take(store: Store, source: Path, made: Made, **more: Any) -> Admitted:
    """Admit, and see that nothing is left lying about whatever came of it."""
    found = admit(store, source, more.pop("jobs", made.jobs), more.pop("run", RUN),
                  check=rescored, **more)  # fmt: skip
    assert not list(store.root.glob(".incoming-*"))
    assert set(store.closures()) >= set(found.kept)
    return found


def zipped(folder: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return to


def relisted(folder: Path) -> None:
    """The manifest as the folder is now, as a forger writes it."""
    said = json.loads((folder / "manifest.json").read_bytes())
    said["files"] = {
        path.relative_to(folder).as_posix(): {
            "digest": of_bytes(path.read_bytes()), "size_bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }  # fmt: skip
    (folder / "manifest.json").write_bytes(canonical(said))


def forged(folder: Path, closure: str, edit: Callable[[Path, dict[str, Any]], None]) -> None:
    """Edits a result and its artifacts, and makes all digests right again."""
    (statement,) = (folder / "evidence" / closure[7:]).iterdir()
    value = json.loads(statement.read_bytes())
    artifacts = folder / "runs" / closure[7:] / "artifacts"
    edit(artifacts, value)
    result = value["predicate"]["result"]
    for one in result["artifacts"]:
        path = artifacts / one["name"]
        if path.is_file():
            one["digest"], one["size_bytes"] = of_bytes(path.read_bytes()), path.stat().st_size
    digests = {f"artifacts/{one['name']}": one["digest"][7:] for one in result["artifacts"]}
    for subject in value["subject"]:
        if subject["name"] in digests:
            subject["digest"]["sha256"] = digests[subject["name"]]
    data = text(value)
    statement.unlink()
    (statement.parent / f"{of_bytes(data)[7:]}.json").write_bytes(data)
    relisted(folder)


def rewritten(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in lines:
        edit(line)
    path.write_bytes(b"".join(text(line) + b"\n" for line in lines))


def test_a_whole_pack_is_taken_as_a_folder_and_as_a_zip(
    made: Made, here: Store, tmp_path: Path
) -> None:
    found = take(here, zipped(made.folder, tmp_path / "pack.zip"), made)
    assert found.refused == ()
    assert set(found.kept) == set(made.store.closures())
    for closure in found.kept:
        assert here.evidence(closure) == made.store.evidence(closure)
        assert not here.missing(closure)
    other = Store(tmp_path / "other")
    assert take(other, made.folder, made).kept == found.kept


def test_the_first_result_of_a_closure_stands(made: Made, here: Store) -> None:
    assert take(here, made.folder, made).kept
    again = take(here, made.folder, made)
    assert (again.kept, again.refused) == ((), ())
    assert set(again.known) == set(made.store.closures())


def test_evidence_whose_artifacts_were_lost_is_taken_again(made: Made, here: Store) -> None:
    take(here, made.folder, made)
    closure = made.closure("evaluate")
    shutil.rmtree(here.run_folder(closure))
    assert take(here, made.folder, made).kept == (closure,)
    assert not here.missing(closure)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (replace(RUN, run_id=8), "of another run: 7, expected is 8"),
        (replace(RUN, repository="evil/bot"), "of another repository: acme/bot"),
        (replace(RUN, head_sha="b" * 40), "of another commit"),
    ],
)
def test_a_pack_of_another_run_is_refused_whole(
    made: Made, here: Store, run: Expecting, words: str
) -> None:
    found = take(here, made.folder, made, run=run)
    assert found.kept == ()
    assert words in found.refused[0]
    assert here.closures() == ()


def test_what_was_not_planned_is_refused(made: Made, here: Store) -> None:
    closure = made.closure("evaluate")
    jobs = {c: job for c, job in made.jobs.items() if c != closure}
    found = take(here, made.folder, made, jobs=jobs)
    assert closure not in found.kept
    assert any("was not planned" in reason for reason in found.refused)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 99}, "another seed"),
        ({"tools": {"torch": "0.1"}}, "another tools"),
        ({"spec": {"checks": [], "more": 1}}, "another description"),
        ({"subject": None}, "another subject"),
    ],
)
def test_a_job_that_was_told_otherwise_is_refused(
    made: Made, here: Store, change: dict[str, Any], words: str
) -> None:
    from llmops.specs.base import Ref

    closure = made.closure("curate")
    if "subject" in change:
        change = {"subject": Ref("Dataset", "other")}
    jobs = {**made.jobs, closure: replace(made.jobs[closure], **change)}
    found = take(here, made.folder, made, jobs=jobs)
    assert closure not in found.kept
    assert any(words in reason for reason in found.refused)
    dependent = made.closure("evaluate")
    assert dependent not in found.kept, "what was made from it is not known either"


# ---- forged numbers ----------------------------------------------------------------------------


def test_a_forged_accuracy_is_refused(made: Made, here: Store, copy: Path) -> None:
    closure = made.closure("evaluate")

    def edit(artifacts: Path, value: dict[str, Any]) -> None:
        name = made.jobs[closure].spec["checks"][0]["name"]
        value["predicate"]["result"]["measurements"] = [
            {"metric": name, "value": 0.99, "sample_size": 480, "tool": "llmops", "version": "0",
             "rows": None}
        ]  # fmt: skip

    forged(copy, closure, edit)
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("is said to be 0.99, its rows make it" in reason for reason in found.refused)


def test_cells_that_the_exact_metric_does_not_give_are_refused(
    made: Made, here: Store, copy: Path
) -> None:
    closure = made.closure("evaluate")

    def all_right(row: dict[str, Any]) -> None:
        for cell in row["cells"].values():
            cell.update(value=1, valid=True, reason="")

    forged(copy, closure, lambda artifacts, _: rewritten(artifacts / "rows.jsonl", all_right))
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("and not 1" in reason for reason in found.refused)


def test_answers_that_the_target_did_not_give_are_refused(
    made: Made, here: Store, copy: Path
) -> None:
    closure = made.closure("evaluate")

    def all_right(row: dict[str, Any]) -> None:
        row["response"] = row["expected"]
        for cell in row["cells"].values():
            cell.update(value=1, valid=True, reason="")

    forged(copy, closure, lambda artifacts, _: rewritten(artifacts / "rows.jsonl", all_right))
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("has another response than its inputs" in reason for reason in found.refused)


def test_expectations_that_the_data_does_not_have_are_refused(
    made: Made, here: Store, copy: Path
) -> None:
    closure = made.closure("evaluate")

    def as_answered(row: dict[str, Any]) -> None:
        row["expected"] = row["response"]
        for cell in row["cells"].values():
            cell.update(value=1, valid=True, reason="")

    forged(copy, closure, lambda artifacts, _: rewritten(artifacts / "rows.jsonl", as_answered))
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("has another expected than its inputs" in reason for reason in found.refused)


def test_rows_that_were_left_out_are_missed(made: Made, here: Store, copy: Path) -> None:
    closure = made.closure("evaluate")

    def edit(artifacts: Path, value: dict[str, Any]) -> None:
        lines = (artifacts / "rows.jsonl").read_bytes().splitlines(keepends=True)
        right = [line for line in lines if b'"value":1' in line]
        assert 0 < len(right) < len(lines)
        (artifacts / "rows.jsonl").write_bytes(b"".join(right))

    forged(copy, closure, edit)
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("that are asked" in reason for reason in found.refused)


def test_a_case_that_stands_twice_is_refused(made: Made, here: Store, copy: Path) -> None:
    closure = made.closure("evaluate")

    def edit(artifacts: Path, value: dict[str, Any]) -> None:
        data = (artifacts / "rows.jsonl").read_bytes()
        (artifacts / "rows.jsonl").write_bytes(data + data.splitlines(keepends=True)[0])

    forged(copy, closure, edit)
    found = take(here, copy, made)
    assert any("is of a case that was there already" in reason for reason in found.refused)


def test_numbers_that_are_none_are_refused(made: Made, here: Store, copy: Path) -> None:
    closure = made.closure("evaluate")
    path = copy / "runs" / closure[7:] / "artifacts" / "rows.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"value":1', b'"value":NaN'))
    forged(copy, closure, lambda artifacts, value: None)
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("NaN is not JSON" in reason for reason in found.refused)


def test_a_result_made_from_other_inputs_is_refused(made: Made, here: Store, copy: Path) -> None:
    closure = made.closure("generate")

    def edit(artifacts: Path, value: dict[str, Any]) -> None:
        value["predicate"]["job"]["inputs"]["cases"] = of_bytes(b"easy ones")

    forged(copy, closure, edit)
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any('its input "cases" is not what is known' in reason for reason in found.refused)


# ---- packs that are none -----------------------------------------------------------------------


def test_a_file_that_the_manifest_lacks_or_has_otherwise_refuses_all(
    made: Made, here: Store, copy: Path
) -> None:
    closure = made.closure("evaluate")
    rows = copy / "runs" / closure[7:] / "artifacts" / "rows.jsonl"
    rows.write_bytes(rows.read_bytes() + b"\n")
    assert "is not the file that its manifest lists" in take(here, copy, made).refused[0]
    rows.unlink()
    assert "is in its manifest and not in it" in take(here, copy, made).refused[0]
    (copy / "manifest.json").unlink()
    assert "has no manifest.json" in take(here, copy, made).refused[0]
    assert here.closures() == ()


def test_an_artifact_that_did_not_come_along_or_that_nobody_names_is_refused(
    made: Made, here: Store, copy: Path
) -> None:
    closure = made.closure("evaluate")
    folder = copy / "runs" / closure[7:] / "artifacts"
    (folder / "more.txt").write_text("x")
    relisted(copy)
    found = take(here, copy, made)
    assert any("is no artifact that its statement names" in reason for reason in found.refused)
    shutil.rmtree(folder)
    relisted(copy)
    found = take(here, copy, made)
    assert any("did not come along" in reason for reason in found.refused)


def test_two_statements_about_one_closure_are_none(made: Made, here: Store, copy: Path) -> None:
    closure = made.closure("evaluate")
    (statement,) = (copy / "evidence" / closure[7:]).iterdir()
    data = canonical({**json.loads(statement.read_bytes()), "_type": "other"})
    (statement.parent / f"{of_bytes(data)[7:]}.json").write_bytes(data)
    relisted(copy)
    found = take(here, copy, made)
    assert closure not in found.kept
    assert any("2 statements about one closure" in reason for reason in found.refused)


def with_entry(tmp_path: Path, made: Made, name: str, **attributes: Any) -> Path:
    source = zipped(made.folder, tmp_path / "bad.zip")
    info = zipfile.ZipInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr(info, b"/etc/passwd")
    return source


@pytest.mark.parametrize(
    "name",
    ["../../x", "/etc/x", "C:\\x", "runs/../x", "evidence/x.json", "x", "manifest.json/x",
     "runs/" + "a" * 64 + "/artifacts/../../x", "runs/" + "a" * 64 + "/artifacts/a\\b",
     "runs/" + "a" * 64 + "/artifacts/\u202ex", "runs/" + "a" * 64 + "/job.json",
     "runs/" + "A" * 64 + "/artifacts/x", "runs/" + "a" * 64 + "/artifacts//x",
     "signed/x.json", "signed/ab/" + "c" * 64 + ".json", "signed/CC/" + "C" * 64 + ".json",
     "signed/../signed/cc/" + "c" * 64 + ".json"],
)  # fmt: skip
def test_names_that_lead_elsewhere_refuse_all(
    made: Made, here: Store, tmp_path: Path, name: str
) -> None:
    before = sorted(p for p in tmp_path.rglob("*") if "here" not in p.parts)
    found = take(here, with_entry(tmp_path, made, name), made)
    assert found.kept == ()
    assert "is no name of a file that evidence consists of" in found.refused[0]
    after = sorted(p for p in tmp_path.rglob("*") if "here" not in p.parts)
    assert [p for p in after if p.name != "bad.zip"] == before
    assert here.closures() == ()


def test_links_in_a_zip_and_in_a_folder_are_refused(
    made: Made, here: Store, tmp_path: Path, copy: Path
) -> None:
    name = f"runs/{'a' * 64}/artifacts/x"
    bad = with_entry(tmp_path, made, name, external_attr=0o120777 << 16)
    assert "is a link or no regular file" in take(here, bad, made).refused[0]
    (copy / "evidence" / "link").symlink_to("/etc")
    assert "is a link or no regular file" in take(here, copy, made).refused[0]
    (copy / "evidence" / "link").unlink()
    os.mkfifo(copy / "evidence" / "pipe")
    assert "is a link or no regular file" in take(here, copy, made).refused[0]


def test_a_name_twice_or_in_another_case_is_refused(
    made: Made, here: Store, tmp_path: Path
) -> None:
    rows = next(p for p in made.folder.rglob("rows.jsonl")).relative_to(made.folder).as_posix()
    with pytest.warns(UserWarning, match="Duplicate name"):
        bad = with_entry(tmp_path, made, rows)
    assert "stands twice in it" in take(here, bad, made).refused[0]
    bad = with_entry(tmp_path, made, rows.replace("rows", "ROWS"))
    assert "differs by case alone" in take(here, bad, made).refused[0]


def test_a_bomb_is_refused_before_it_is_unpacked(made: Made, here: Store, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"{}")
        archive.writestr(f"runs/{'a' * 64}/artifacts/x", b"\0" * (80 * 2**20))
    assert "would grow from" in take(here, bomb, made).refused[0]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(files=3), "files, at most 3 are read"),
        (Limits(total_bytes=5000), "bytes, at most 5,000 are read"),
        (Limits(file_bytes=100), "bytes, at most 100"),
        (Limits(text_bytes=100), "bytes, at most 100"),
    ],
)
def test_more_than_is_allowed_is_refused(
    made: Made, here: Store, tmp_path: Path, limits: Limits, words: str
) -> None:
    found = take(here, zipped(made.folder, tmp_path / "p.zip"), made, limits=limits)
    assert found.kept == ()
    assert words in found.refused[0]


def test_a_zip_that_lies_about_sizes_is_read_no_further_than_it_may(
    made: Made, here: Store, tmp_path: Path
) -> None:
    source = zipped(made.folder, tmp_path / "lying.zip")
    data = bytearray(source.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1).to_bytes(4, "little")  # the uncompressed size of the last file
    source.write_bytes(data)
    assert take(here, source, made).kept == ()


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\0" * 18, b"\0" * 99])
def test_what_is_no_zip_is_refused(made: Made, here: Store, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    assert take(here, tmp_path / "x.zip", made).refused
    assert take(here, tmp_path / "gone.zip", made).refused == ("it is not there",)


# ---- fuzz --------------------------------------------------------------------------------------


def unaltered(store: Store, made: Made) -> None:
    """What was kept is what was made, byte for byte."""
    for closure in store.closures():
        own = store.evidence(closure)
        assert own is not None
        assert own == made.store.evidence(closure)
        assert not store.missing(closure)


def test_no_flipped_byte_of_a_zip_lets_altered_content_in(made: Made, tmp_path: Path) -> None:
    good = zipped(made.folder, tmp_path / "good.zip").read_bytes()
    chance = random.Random(6)
    taken = 0
    for number in range(30):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (tmp_path / "bad.zip").write_bytes(data)
        store = Store(tmp_path / f"s{number}")
        taken += bool(take(store, tmp_path / "bad.zip", made).kept)
        unaltered(store, made)
        shutil.rmtree(store.root)
    assert taken < 30


def text(value: Any) -> bytes:
    """As canonical JSON, numbers that it has not included."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def mutated(value: Any, chance: random.Random) -> Any:
    """A JSON value with one thing changed in it."""
    odd = (None, True, -1, 2**60, 1e300, "", "sha256:x", "\u202e", [], {}, [[]], {"a": 1}, 0.5)
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(sorted(value))
        if chance.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], mutated(value[at], chance), *value[at + 1 :]]
    return chance.choice(odd)


def fuzzed(made: Made, tmp_path: Path, rounds: int, seed: int) -> int:
    """Change something in a statement, in rows or in the manifest, with all digests made right."""
    chance, refused = random.Random(seed), 0
    closures = sorted(made.store.closures())
    for number in range(rounds):
        folder, store = tmp_path / f"p{number}", Store(tmp_path / f"s{number}")
        shutil.copytree(made.folder, folder)
        closure = chance.choice(closures)
        where = chance.random()
        if where < 0.2:
            said = json.loads((folder / "manifest.json").read_bytes())
            (folder / "manifest.json").write_bytes(text(mutated(said, chance)))
        elif where < 0.7:
            (path,) = (folder / "evidence" / closure[7:]).iterdir()
            data = text(mutated(json.loads(path.read_bytes()), chance))
            path.unlink()
            (path.parent / f"{of_bytes(data)[7:]}.json").write_bytes(data)
            relisted(folder)
        else:
            files = [
                p for p in (folder / "runs" / closure[7:]).rglob("*.jsonl") if p.stat().st_size
            ]
            if files:
                path = chance.choice(files)
                lines = path.read_bytes().splitlines()
                at = chance.randrange(len(lines))
                lines[at] = text(mutated(json.loads(lines[at]), chance))
                path.write_bytes(b"\n".join(lines) + b"\n")
                forged(folder, closure, lambda artifacts, value: None)
        found = take(store, folder, made)
        refused += bool(found.refused)
        for kept in found.kept:
            own, was = store.evidence(kept), made.store.evidence(kept)
            assert own is not None
            assert was is not None
            if own != was:  # what nobody can compute again: times, what was used, and what follows
                assert kept in _may_differ(made, closure)
                assert {m.metric: m.value for m in own.result.measurements}.keys() <= {
                    m.metric for m in was.result.measurements
                }
        shutil.rmtree(folder)
        shutil.rmtree(store.root, ignore_errors=True)
    return refused


def _may_differ(made: Made, closure: str) -> set[str]:
    """The closure that was meddled with, and those that read it."""
    found = {closure}
    for _ in range(4):
        found |= {c for c, job in made.jobs.items() if found & set(job.needs)}
    return found


def test_no_forged_json_makes_a_traceback_and_few_are_taken(made: Made, tmp_path: Path) -> None:
    assert fuzzed(made, tmp_path, 24, 1) >= 16


@pytest.mark.slow
def test_ten_thousand_forgeries_make_no_traceback(made: Made, tmp_path: Path) -> None:
    assert fuzzed(made, tmp_path, 10_000, 2) >= 7_000


# ---- faults ------------------------------------------------------------------------------------


def test_a_full_disk_keeps_nothing_and_the_next_try_succeeds(
    made: Made, here: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.disk import Failing

    with monkeypatch.context() as patch:
        Failing(here.root, 40).shim(patch)
        with pytest.raises(StoreError, match="No space left"):
            admit(here, made.folder, made.jobs, RUN)
    unaltered(here, made)
    found = take(here, made.folder, made)
    assert set(found.kept) | set(found.known) == set(made.store.closures())
