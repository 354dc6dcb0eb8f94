"""T9 and T10, through the gate: YAML bombs and hostile paths in a pull request.

Whatever stands in the tree, the check fails with a place; the gate neither dies nor hangs, and
reads nothing outside the tree.
"""

from __future__ import annotations

from llmops.gating.base import PullRequest
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, files

RECIPE = "specs/recipes/adapter.yaml"
TOP = "apiVersion: llmops/v1alpha1\nkind: Recipe\n"
LOL = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)
BOMBS = {
    "aliases": TOP + LOL,
    "a circle": TOP + "metadata: &x [*x]\n",
    "nesting": TOP + "metadata: " + "[" * 20_000,
    "flow maps": TOP + "metadata: " + "{a: " * 5_000,
    "merge keys": TOP + "metadata: {<<: {name: x}}\n",
    "a key twice": TOP + "metadata: {name: adapter}\nmetadata: {name: other}\n",
    "a tag": TOP + "metadata: !!python/object/apply:os.system [id]\n",
    "two documents that end early": "---\n...\n---\n[",
    "bidi": TOP + "metadata: {name: adapter, owner: \u202eteam\u2066}\n",
    "no text": b"\xff\xfe\x00k\x00i\x00n\x00d",
    "nul": b"kind: Recipe\x00\n",
    "a long line": TOP + "metadata: {name: " + "a" * 900_000 + "}\n",
    "nothing": "",
}
REFERENCES = (
    "../../../etc/passwd", "/etc/passwd", "specs/../../x", "C:\\windows\\x", "specs/data/\u0000x",
    "specs/data/con.jsonl", "specs/data/link.jsonl",
)  # fmt: skip


def test_bombs_fail_with_a_place_and_nothing_dies(world: World) -> None:
    pull = world.pull({"README.md": "x\n"})
    for name, content in BOMBS.items():
        pull.push({RECIPE: content})
        settled = reconcile(world.desk(), PullRequest(pull.number))
        assert (settled.state, settled.exit_code) == ("invalid", 2), name
        assert world.conclusion(pull.head_sha) == "failure", name
        assert any(note.startswith(("specs/", "policies/")) for note in settled.notes), name
        assert len(settled.summary.encode()) < 65_536, name


def test_paths_that_lead_out_of_the_tree_fail_with_a_place(world: World) -> None:
    path = "specs/datasets/bank.yaml"
    text = files()[path]
    assert "specs/data/test.jsonl" in text
    pull = world.pull({"README.md": "x\n"})
    for reference in REFERENCES:
        said = reference.replace("\\", "\\\\").replace("\u0000", "\\0")
        pull.push({path: text.replace("specs/data/test.jsonl", f'"{said}"', 1)})
        settled = reconcile(world.desk(), PullRequest(pull.number))
        assert (settled.state, settled.exit_code) == ("invalid", 2), reference
        assert any(note.startswith(path) for note in settled.notes), (reference, settled.notes)
        assert "root:" not in settled.summary


def test_links_and_submodules_are_never_followed(world: World) -> None:
    git, base = world.repo.git, world.repo.tip()
    for number, (mode, target) in enumerate((("120000", "/etc/passwd"), ("160000", base))):
        oid = target if mode == "160000" else git.run("hash-object", "-w", "--stdin", data=b"/etc")
        branch = f"link-{number}"
        stream = (
            f"commit refs/heads/{branch}\ncommitter eve <eve@users.noreply.github.com> 1 +0000\n"
            f"data 4\nlink\nfrom {base}\nM {mode} {oid} {RECIPE}\n\n"
        )
        git.run("fast-import", "--quiet", data=stream.encode())
        world.repo.sync("eve")
        pull = world.repo.pull(branch, by="eve")
        settled = reconcile(world.desk(), PullRequest(pull.number))
        assert (settled.state, settled.exit_code) == ("invalid", 2), mode
        assert any(note.startswith(f"{RECIPE}:1:1") for note in settled.notes)
        assert "root:" not in settled.summary


def test_a_tree_that_brings_its_own_evidence_is_no_tree_to_judge(world: World) -> None:
    pull = world.pull({"reports/ledger/00000001.json": "{}", "reports/evidence/x.json": "{}"})
    settled = reconcile(world.desk(), PullRequest(pull.number))
    assert (settled.state, settled.exit_code) == ("invalid", 2)
    assert any("brings its own evidence" in note for note in settled.notes)
