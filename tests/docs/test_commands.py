"""Every command that a page shows is run: in a copy of the running example, with kept evidence.

The example without its fetched data is planned, run by the stand-in worker and judged; then each
command has a copy to itself, with the files that it names. It must end as told (`ENDS`, else 0),
and a page that shows what a command prints must show that.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from llmops.workflows.lint import INFOS
from tests.docs.shown import Shown, commands, hidden
from tests.tools import docs_story
from tests.tools.make_docs import ROOT, language, pages
from tests.tools.terminal import Terminal, normal

PAGES = [page for page in pages() if language(page) == "en"]
SHOWN = {
    one.line: one
    for one in sorted(
        (one for page in PAGES for one in commands(page)), key=lambda one: one.prints or ""
    )
}
WORLD = {
    "answers": [{"right": 0.9, "refuses": {"refuse": 0.97, "comply": 0.0}}],
    "scans": [{"unchanged": 0.95}],
}

# Nothing else is given to a shell: a page may show what installs, serves or sends.
RUNNABLE = ("llmops", "git", "cd", "mkdir", "source", "command", "python")
# Not run here: why. A `*` stands for any ending.
ELSEWHERE: Mapping[str, str] = {
    "make install": "installs two gigabytes; CI does it",
    "make demo": "trains for minutes; CI does it",
    "make test": "this is a part of it",
    "make check": "CI does it",
    "pip install *": "needs a registry; the wheel is built and tried by another test",
    "source .venv/bin/activate": "of the machine; nothing of ours",
    "source <(llmops completion zsh)": "needs zsh; tests of completion read what it prints",
    "python -m tests.tools.make_docs": "rewrites the pages; tests hold every page to it",
    "gh api *": "another tool, which asks GitHub; tests/forge check what it would send",
    "mlflow ui *": "another tool, which serves",
    "llmops fmt -": "reads standard input; tests/cli/test_fmt.py gives it some",
    "check-jsonschema *": "another tool; tests/specs/test_schema.py runs it over the same files",
    "llmops demo*": "trains for minutes; CI does it, and tests/cli/test_demo*.py read its parts",
    "llmops app": "serves until it is stopped; tests/app and tests/cli/test_app.py do it",
    "llmops app --check": "asks GitHub; tests/cli/test_app.py has a stand-in for it",
    "llmops app --repos*": "serves until it is stopped",
    "export LLMOPS_*": "settings of a machine",
    "llmops doctor": "starts two ranks; tests/cli/test_doctor.py does it, and --quick is run here",
    "llmops doctor --github*": "asks GitHub; tests/cli/test_doctor_github.py has one to ask",
    "llmops policy drill --yes*": "trains bad models for minutes; tests/drills do it",
    "llmops run plan.json --shard *": "a shard's name is its plan's; tests/cli/test_run.py has one",
    "llmops gc --store": "needs a store; tests/cli/test_shared_store.py has one",
    "llmops gc --keep-days 7 --also v1.2": "needs a release's tag; likewise",
    "llmops evidence p*": "needs a remote of its own; tests/cli/test_evidence.py has one",
    "llmops evidence admit*": "needs a pack; tests/cli/test_evidence.py makes some",
    "llmops log *": "needs a log; tests/cli/test_log.py makes some",
    "git show llmops-log:checkpoint *": "likewise",
    "llmops gate --publish*": "asks GitHub; tests/cli/test_gate_github.py has one to ask",
    "llmops keys rotate*": "needs a key and a root; tests/cli/test_keys.py has some",
    "llmops keys revoke*": "likewise",
    "llmops keys sign*": "likewise",
    "llmops keys show --public": "likewise",
    "llmops keys init --owner ann --add *": "likewise",
    "gh secret set *": "another tool, which tells GitHub a secret",
    "llmops export*": "needs the extra mlflow; tests/exports do it",
    "llmops bundle*": "needs a signed log; tests/cli/test_bundle.py has one",
    "llmops verify*": "needs a bundle; tests/cli/test_verify.py has one",
    "python llmops/audit/second.py *": "likewise; tests/audit/test_second.py has one",
}
# A command that is only named: what it cannot do without.
NAMED: Mapping[str, str] = {
    "llmops why": "Recipe/support-lora",
    "llmops why-not": "Recipe/support-lora",
    "llmops explain": "Recipe",
    "llmops show": "attempts",
    "llmops evidence": "ls",
    "llmops log": "--help",
    "llmops doctor --ruleset evidence-writer": "--app 1",
    "llmops guard": "check hello",
    "llmops completion": "bash",
    "llmops import": "axolotl lora-1b.yml",
    "llmops prompt": "test",
    "llmops policy": "rules",
    "llmops waiver": "ls",
    "llmops keys": "show",
    "llmops init": "another",
    "python -m llmops": "--version",
}
# Words that stand for a reader's own.
WORDS: Mapping[str, str] = {
    "TEAM:PERSON": "team-compliance:ann", "NAME": "local", "FILE": "plan.json",
    "URL": "git+https://example.org/o/llmops@0123456789abcdef0123456789abcdef01234567",
}  # fmt: skip
# What must be there before.
FIRST: Mapping[str, tuple[str, ...]] = {
    "llmops keys init": ("git config user.name ann",),
    "llmops run plan.json": ("llmops plan --out plan.json",),
    "llmops run plan.json --jobs 1": ("llmops plan --out plan.json",),
    "llmops run FILE": ("llmops plan --out plan.json",),
    "llmops schema --check": ("llmops schema --write",),
    "cd my-assistant": ("llmops init my-assistant",),
    "cd my-demo": ("mkdir my-demo",),
    "cd my-labels": ("mkdir my-labels",),
    "llmops gate --base main --head no-rehearsal": ("git branch no-rehearsal",),
    "llmops gate --counted": ("llmops run --counted",),
    "llmops gate --counted --approved TEAM:PERSON": ("llmops run --counted",),
    "git restore specs/applications/faq.yaml": ("llmops init",),
    "git add policies/trust": ("llmops keys init --owner ann",),
    "command llmops completion fish > ~/.config/fish/completions/llmops.fish": (
        "mkdir -p ~/.config/fish/completions",
    ),
}
# How it ends, where it does not end with 0.
ENDS: Mapping[str, int] = {
    "llmops run --refresh": 2,  # no policy says when evidence is old
    "llmops run --select Evaluation/suport-quality": 2,
}
IMPORTED = ROOT / "tests" / "golden" / "import"
SHEET = "input,response,rating\nq,r,1\np,s,0\n"
LABELLED = "text,intent,category\n" + "".join(
    f"question {i} on {word},{word},{word}\n" for i in range(60) for word in ("cards", "fees")
)
AXOLOTL = b"""\
base_model: meta-llama/Llama-3.2-1B
adapter: lora
lora_r: 8
lora_alpha: 16
lora_target_linear: true
datasets:
  - path: data/support.jsonl
    type: alpaca
sample_packing: true
sequence_len: 512
micro_batch_size: 2
max_steps: 100
learning_rate: 2.0e-4
wandb_project: mine
"""
# Files that a command names, and what stands in them.
FILES: Mapping[str, bytes] = {
    ".github/workflows/llmops.yml": INFOS["skippable-gate"].good.encode(),
    "ratings.csv": SHEET.encode(),
    "评分.csv": SHEET.replace(",1", ",5").replace(",0", ",1").encode("gb18030"),
    "intents.csv": LABELLED.encode(),
    "promptfooconfig.yaml": (IMPORTED / "promptfoo-start/in/config.yaml").read_bytes(),
    "lora.yml": AXOLOTL,
    **dict.fromkeys(
        ("lora-1b.yml", "examples/llama-3/lora-1b.yml", "examples/llama-3/qlora.yml"),
        (IMPORTED / "axolotl-lora/in/config.yml").read_bytes(),
    ),
    **dict.fromkeys(
        ("sft.yaml", "examples/train_lora/llama3_lora_sft.yaml"),
        (IMPORTED / "llamafactory-sft/in/config.yaml").read_bytes(),
    ),
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The running example, run: a folder with `repo` and `home`."""
    root = tmp_path_factory.mktemp("scene")
    repo = docs_story.example(root / "repo")
    shutil.rmtree(repo.path / "specs" / "banking77")  # its rows have to be fetched
    repo.commit({}, "only what is here")
    terminal = Terminal(repo.path, root / "home", WORLD)
    done = terminal.run("llmops run")
    assert done.code == 0, done.text
    repo.git("switch", "--quiet", "--create", "my-branch")
    terminal.edit("specs/applications/support.yaml", "owner: team-cs", "owner: team-quality")
    repo.commit({}, "another owner")
    repo.git("switch", "--quiet", "main")
    repo.git("remote", "add", "origin", str(repo.path))
    repo.git("fetch", "--quiet", "origin")
    return root


@pytest.mark.parametrize("line", sorted(SHOWN))
def test_a_command_that_a_page_shows_does_what_it_says(
    scene: Path, tmp_path: Path, line: str
) -> None:
    if any(fnmatchcase(line, pattern) for pattern in ELSEWHERE):
        return
    assert line.split()[0] in RUNNABLE, "say in ELSEWHERE why this is not run"
    terminal = Terminal(_folder(scene, tmp_path, line), tmp_path / "home", WORLD)
    for before in FIRST.get(line, ()):
        prepared = terminal.run(before)
        assert prepared.code == 0, prepared.text
    done = terminal.run(_given(line))
    assert done.code == ENDS.get(line, 0), done.text
    assert "llmops itself failed" not in done.text
    if (printed := SHOWN[line].prints) is not None:
        assert normal(done.text) == normal(printed)


def _folder(scene: Path, root: Path, line: str) -> Path:
    """Where the line is given: in an empty folder what makes a repository, else in a copy."""
    folder = root / "repo"
    if line.startswith(("llmops init", "cd my-", "git restore specs/applications/faq.yaml")):
        folder.mkdir()
    else:
        shutil.copytree(scene / "repo", folder, symlinks=True)
    for name, data in FILES.items():
        if name in line.split() or (line in NAMED and name in NAMED[line].split()):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    if "lora.yml" in line:
        (folder / "data").mkdir()
        (folder / "data" / "support.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    return folder


def _given(line: str) -> str:
    whole = f"{line} {NAMED[line]}" if line in NAMED else line
    for word, instead in WORDS.items():
        whole = " ".join(instead if w == word else w for w in whole.split(" "))
    return whole


def test_no_reason_is_left_over() -> None:
    for table in (NAMED, FIRST, ENDS):
        assert [line for line in table if line not in SHOWN] == []
    assert [one for one in ELSEWHERE if not fnmatch.filter(SHOWN, one)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_command_hides_from_this_test(page: Path) -> None:
    assert hidden(page) == []


def test_commands_are_found_wherever_a_page_can_show_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Say `llmops plan --out x`, not `plan`.\n"
        "```sh\n# first\nllmops run   # all of it\ncd x\n```\n"
        "> ```console\n> $ llmops ls\n> a\n> b\n> ```\n"
        "```text\nllmops gate\n```\n",
        encoding="utf-8",
    )
    assert set(commands(page)) == {
        Shown("llmops plan --out x", "page.md"), Shown("llmops run", "page.md"),
        Shown("cd x", "page.md"), Shown("llmops ls", "page.md", "a\nb"),
    }  # fmt: skip
    assert hidden(page) == ["llmops gate"]
