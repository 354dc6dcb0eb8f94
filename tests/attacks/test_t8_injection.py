"""T8: text of a stranger becomes code in what we generate or hand on.

The attacker (A1) chooses what nobody thinks of as code: a title, a branch name, a commit message,
the name of a spec, and through them the name of a shard, an output of a job, the delimiter of an
output of several lines. `${{ }}` puts such text into a script before a shell reads it; a line break
in an output sets another output. So what we generate has no expression in a script, names of shards
are `[a-z0-9-]{1,64}`, outputs stand between delimiters of chance, and `lint-ci` refuses the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.jobs.base import Job, Plan, Resources, Step, TreeName
from llmops.jobs.shards import shards
from llmops.reports.github_outputs import NAMES, outputs
from llmops.specs.base import Ref
from llmops.workflows.base import File
from llmops.workflows.expressions import expressions
from llmops.workflows.lint import lint
from llmops.workflows.read import read
from llmops.workflows.scripts import scripts
from llmops.workflows.templates import Choice, files, pinned, plain
from tests.runner.scene import RECIPE, Scene
from tests.workflows.shipped import committed, written

MARK = "pwned"
HOSTILE = (
    f'"; touch {MARK}; "', f"$(touch {MARK})", f"`touch {MARK}`", f"'; touch {MARK} #",
    f"a\ntouch {MARK}", f"${{{{ '; touch {MARK}' }}}}", f"| touch {MARK}", f"&& touch {MARK}",
    "x\nhas_jobs=false\njobs=[]", "::set-output name=has_jobs::false", "%0Ahas_jobs=false",
    "EOF\nhas_jobs=false", "ghadelimiter\nhas_jobs=false", "<<x", "=", "\r\nhas_jobs=false",
    "\u202eevil", "a]]>", "[[ -v x ]]", "-rf", "--help", "../../x", "*", "~root",
)  # fmt: skip
DELIMITER = "0123456789abcdef" * 2


def ours() -> Iterator[tuple[str, File]]:
    """Every CI file of ours that can be read as one."""
    for path, text in (committed() | written()).items():
        name = path if path.startswith(".github") else path.partition("/")[2]
        found = read(name, text.encode()).file
        if found is not None and not name.startswith(".github/llmops/"):
            yield path, found


# ---- what we generate -----------------------------------------------------------------------


def test_no_script_of_ours_has_an_expression_in_it() -> None:
    seen = 0
    for path, file in ours():
        for script in scripts(file):
            seen += 1
            assert not list(expressions(script.text)), path
            assert "$[[" not in script.text, path
    assert seen > 100


def test_a_matrix_of_ours_is_made_of_the_plan_alone() -> None:
    made = [
        json.dumps(job.value["strategy"]["matrix"])
        for _, file in ours()
        for job in file.jobs
        if "matrix" in job.value.get("strategy", {})
    ]
    assert len(made) > 10
    assert set(made) == {'{"shard": "${{ fromJSON(needs.plan.outputs.jobs) }}"}'}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_written_into_a_workflow_is_plain_or_refused(text: str) -> None:
    assert not plain(text)
    assert not pinned(f"git+https://h/o/x@{'0' * 40}{text}")
    assert not pinned(f"https://h/x.whl{text}#sha256={'0' * 64}")


@pytest.mark.parametrize("branch", ["main", "release/1.x", "a-b_c"])
def test_a_plain_branch_is_a_text_of_the_workflow_and_nothing_else(branch: str) -> None:
    text = files(Choice(branch=branch), "en", "2.13.0")[".github/workflows/llmops.yml"]
    file = read(".github/workflows/llmops.yml", text.encode()).file
    assert file is not None
    assert file.value["on"]["push"]["branches"] == [branch]


# ---- names of shards and outputs ------------------------------------------------------------


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text()), min_size=1, max_size=8))
def test_the_name_of_a_shard_is_of_plain_letters_whatever_a_spec_is_called(
    names: list[str],
) -> None:
    found = shards(Plan(None, TreeName("x", "0" * 40), None, (), tuple(_steps(names)), ()))
    assert len({one.id for one in found}) == len(found) == len(names)
    assert all(re.fullmatch("[a-z0-9-]{1,64}", one.id) for one in found)


def _steps(names: list[str]) -> Iterator[Step]:
    for number, name in enumerate(names):
        job = Job("train", Ref("Recipe", name), f"sha256:{number:064}", {}, resources=Resources())
        yield Step(job, "run", "")


def as_the_runner_reads(text: str) -> dict[str, str]:
    """`$GITHUB_OUTPUT` as GitHub's runner does: NAME=VALUE, or NAME<<DELIMITER to that line."""
    found: dict[str, str] = {}
    lines = iter(re.split(r"\r\n|\n|\r", text))
    for line in lines:
        name, sign, rest = min(
            (line.partition(sign) for sign in ("=", "<<") if sign in line),
            key=lambda parts: len(parts[0]), default=(line, "", ""),
        )  # fmt: skip
        if sign == "=":
            found[name] = rest
        elif sign:
            value: list[str] = []
            for inner in lines:
                if inner == rest:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
    return found


def ended(value: str) -> str:
    """Line breaks as the runner joins lines again."""
    return re.sub(r"\r\n|\r", "\n", value)


@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(st.sampled_from(HOSTILE), st.text())))
def test_an_output_is_read_as_it_was_given_and_sets_no_other(values: dict[str, str]) -> None:
    text = outputs(values, DELIMITER)
    assert as_the_runner_reads(text) == {name: ended(value) for name, value in values.items()}


def test_the_attack_works_on_an_output_that_is_written_plainly() -> None:
    """What `outputs` keeps off: the value as it is, and a delimiter that everybody knows."""
    naive = "report_path=x\nhas_jobs=false\n"
    assert as_the_runner_reads(naive)["has_jobs"] == "false"
    known = "report_path<<EOF\nx\nEOF\nhas_jobs=false\nEOF\n"
    assert as_the_runner_reads(known)["has_jobs"] == "false"
    with pytest.raises(ValueError, match="delimiter"):
        outputs({"report_path": f"x\n{DELIMITER}\nhas_jobs=false"}, DELIMITER)


def test_a_name_of_our_own_is_needed_for_an_output() -> None:
    with pytest.raises(ValueError, match="no output"):
        outputs({"x=1\nhas_jobs": "false"}, DELIMITER)


# ---- a pull request full of it --------------------------------------------------------------

BRANCHES = (f"$(touch${{IFS}}{MARK})", f"a;touch${{IFS}}{MARK}", f"`touch${{IFS}}{MARK}`")


@pytest.mark.parametrize(
    "branch", [BRANCHES[0], *(pytest.param(one, marks=pytest.mark.slow) for one in BRANCHES[1:])]
)
def test_a_hostile_title_branch_and_message_run_nothing(tmp_path: Path, branch: str) -> None:
    scene = Scene.of(tmp_path)
    changed = scene.edited(RECIPE, "seed: 42", "seed: 43")
    title = f'"; touch {MARK}; $(touch {MARK}) `touch {MARK}` ${{{{ github.token }}}}'
    pull = scene.pull(branch, changed, title=title, body=title, by="mallory")
    with scene.fake.serve():
        done = scene.actions.pull_request(pull, "opened", ends={"run": "cancelled"})
    assert done is not None
    assert done.jobs["plan"].conclusion == "success", done.jobs["plan"].log
    assert list(tmp_path.rglob(MARK)) == []
    named = json.loads(done.jobs["plan"].outputs["jobs"])
    assert named
    assert all(re.fullmatch("[a-z0-9-]{1,64}", one) for one in named)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_spec_of_such_a_name_is_refused_with_its_place(
    tmp_path: Path, text: str, git_repo
) -> None:
    from llmops.cli.main import main

    spec = {
        "apiVersion": "llmops/v1alpha1", "kind": "Model", "metadata": {"name": text},
        "spec": {"source": {"hf": "acme/x", "revision": "0" * 40}},
    }  # fmt: skip
    repo = git_repo({"specs/models/x.yaml": json.dumps(spec)})
    assert main(["validate", "-C", str(repo.path), "-q", "--format", "github"]) == 2


# ---- what lint-ci refuses in a user's own ---------------------------------------------------

# https://docs.github.com/en/actions/concepts/security/script-injections
OUTSIDE = (
    "github.event.issue.title", "github.event.issue.body", "github.event.pull_request.title",
    "github.event.pull_request.body", "github.event.comment.body", "github.event.review.body",
    "github.event.review_comment.body", "github.event.pages[0].page_name",
    "github.event.commits[0].message", "github.event.commits[0].author.email",
    "github.event.commits[0].author.name", "github.event.head_commit.message",
    "github.event.head_commit.author.email", "github.event.head_commit.author.name",
    "github.event.pull_request.head.ref", "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch", "github.head_ref", "github.ref_name",
    "github.event.discussion.title", "github.event.workflow_run.head_branch",
    "github.event.label.name", "github.event.release.name", "github.event.inputs.x", "inputs.x",
    "matrix.shard", "needs.plan.outputs.jobs", "steps.plan.outputs.jobs", "toJSON(github.event)",
    "format('{0}', github.head_ref)", "github['event']['issue']['title']",
    "GITHUB.EVENT.ISSUE.TITLE", "github.event.*.title", "env.X && github.head_ref || 'x'",
)  # fmt: skip


@pytest.mark.parametrize("context", OUTSIDE)
@pytest.mark.parametrize("place", ["run", "script", "action"])
def test_lint_ci_refuses_it_wherever_it_becomes_code(context: str, place: str) -> None:
    written = f"${{{{ {context} }}}}"
    uses = "actions/github-script@3d3c42e5aac5ba805825da76410c181273ba90b1"
    steps = {
        "run": f"run: |\n          echo a\n          echo '{written}'",
        "script": f"uses: {uses}\n        with:\n          script: |\n            f(`{written}`)",
        "action": f"run: |\n          echo '{written}'\n        shell: bash",
    }
    if place == "action":
        path, head = "a/action.yml", "runs:\n  using: composite\n  steps:\n"
    else:
        path = ".github/workflows/a.yml"
        head = (
            "on: issues\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    permissions: {}\n    steps:\n"
        )
    text = f"{head}      - {steps[place]}\n"
    found = [
        one for one in lint({path: text.encode()}).diagnostics if one.rule == "template-injection"
    ]
    assert [one.severity.value for one in found] == ["error"]
    line = text.split("\n")[found[0].span.line - 1]
    assert line[found[0].span.column - 1 :].startswith(written)
