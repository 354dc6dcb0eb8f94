"""The part of `llmops init` that wires a repository to its CI, a new one or one that has specs.

In: `--ci`, `--runners`, `--gate`, `--package`. Out: the files of that choice, and in words what no
file can do: settings of the forge that only its owner may change.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from llmops.cli import edits
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.source.tree import Repository
from llmops.workflows import templates
from llmops.workflows.templates import Choice

SPECS = ("specs", "policies")


def add(parser: argparse.ArgumentParser) -> None:
    """`--ci`, `--runners`, `--gate` and `--package`."""
    parser.add_argument(
        "--ci", choices=tuple(templates.FILES), default="github",
        help="what runs pull requests; where specs are already, only its files are added",
    )  # fmt: skip
    parser.add_argument(
        "--runners", choices=get_args(templates.Runners), default="hosted",
        help="where its jobs run: machines of the forge, or GPUs of your own",
    )  # fmt: skip
    parser.add_argument(
        "--gate", choices=get_args(templates.Gate), default="workflow",
        help="who publishes the verdict: a job of the workflow, or a GitHub App of yours",
    )  # fmt: skip
    parser.add_argument(
        "--package", default="", metavar="URL",
        help="what CI installs, pinned: git+https://HOST/OWNER/llmops@COMMIT, or a wheel's address "
        "with #sha256=HASH (default: the variable LLMOPS_PACKAGE of the repository)",
    )  # fmt: skip


def texts(args: argparse.Namespace, branch: str = "main") -> dict[str, bytes]:
    """The files that the options ask for, by their path in the repository."""
    from llmops.jobs.tools import PINS

    made = templates.files(_choice(args, branch), args.lang, PINS["torch"])
    return {path: text.encode("utf-8") for path, text in made.items()}


def _choice(args: argparse.Namespace, branch: str) -> Choice:
    if args.package and not templates.pinned(args.package):
        hint = "git+https://HOST/OWNER/llmops@ and 40 hex digits, or a wheel with #sha256="
        raise UsageError(f'--package "{printable(args.package)}" is not pinned', hint=hint)
    plain = (args.runners, args.gate, args.package) == ("hosted", "workflow", "")
    if args.ci != "github" and not plain:
        what = "--runners, --gate and --package are for --ci github"
        raise UsageError(what, hint="leave them out")
    return Choice(args.ci, args.runners, args.gate, branch, args.package)


def is_for(args: argparse.Namespace, folder: Path) -> bool:
    """Whether a repository is only to be wired: it has specs, and no example is asked for."""
    if args.example is not None or args.from_csv is not None or args.ci == "none":
        return False
    return (folder / ".git").exists() and any((folder / name).is_dir() for name in SPECS)


def wire(args: argparse.Namespace, folder: Path) -> str:
    """Adds the files of the CI to a repository; what to say of it.

    Raises UsageError for a file that is there and says something else, unless `--force`.
    """
    made = {folder / name: data for name, data in texts(args, _branch(folder)).items()}
    pipeline = folder / templates.PIPELINE
    included = pipeline.exists() and made.pop(pipeline, b"") not in (b"", edits.content(pipeline))
    new = {path: data for path, data in made.items() if not _there(path, data)}
    taken = [path for path in new if path.exists()]
    if taken and not args.force:
        shown = printable(taken[0].relative_to(folder).as_posix())
        hint = "compare it, then say --force to replace it: git keeps what was committed"
        raise UsageError(f"{shown} is there and says something else", hint=hint)
    edits.write(args, new)
    words = WORDS[args.lang]
    lines = [
        words["wrote"].format(path=printable(path.relative_to(folder).as_posix())) for path in new
    ] or [words["nothing"]]
    return "\n".join([*lines, "", *steps(args, ("include",) if included else ())])


def _there(path: Path, data: bytes) -> bool:
    return path.is_file() and edits.content(path) == data


def _branch(folder: Path) -> str:
    """The target branch of a repository: what origin calls its head, else main or master."""
    found = Repository.find(folder).default_branch()
    if not templates.plain(found):
        raise UsageError(f'no workflow can name the branch "{printable(found)}"')
    return found


def steps(args: argparse.Namespace, first: tuple[str, ...] = ()) -> list[str]:
    """What remains to be done by hand, as lines: settings of the forge, one a line."""
    done = _done(args)
    left = [name for name in (*first, *STEPS.get((args.ci, args.gate), ())) if name not in done]
    if not left:
        return []
    told = [TOLD[args.lang][name] for name in left]
    page = "github" if args.ci == "github" else "ci"
    return [
        WORDS[args.lang]["left"].format(page=page),
        *(f"  {n}. {line}" for n, line in enumerate(told, 1)),
    ]


def _done(args: argparse.Namespace) -> tuple[str, ...]:
    """The steps that an option has done already, or makes needless."""
    package = ("variable",) if args.package else ()
    return (*package, "environments") if args.runners == "hosted" else package


STEPS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("gitlab", "workflow"): ("variables", "policies", "checks"),
    ("jenkins", "workflow"): ("folder", "jenkinsfile"),
    ("github", "workflow"): ("variable", "workflow", "environments", "doctor"),
    ("github", "app"): ("variable", "key", "check", "environments", "doctor"),
}
WORDS = {
    "en": {
        "wrote": "wrote {path}",
        "nothing": "nothing to write: the files are there",
        "left": "What remains is a setting, and nobody's code may change it (llmops docs {page}):",
    },
    "zh": {
        "wrote": "已写入 {path}",
        "nothing": "无需写入：文件已经存在",
        "left": "剩下的是设置，任何代码都不能更改它们（llmops docs {page}）：",
    },
}
TOLD = {
    "en": {
        "variable": "variable: gh variable set LLMOPS_PACKAGE --body git+https://HOST/OWNER/llmops@COMMIT",
        "workflow": "ruleset: require this workflow, from a repository that other people own",
        "key": "key: a GitHub App of your own (llmops app --manifest), with which llmops app runs",
        "check": "ruleset: llmops doctor --ruleset target --app ID prints it, to be imported",
        "environments": "environments: llmops-gpu, and llmops-gpu-forks with required reviewers",
        "doctor": "llmops doctor --github says what is missing",
        "include": "include: .gitlab/llmops.yml, in your .gitlab-ci.yml, with its stages",
        "variables": "variables: LLMOPS_IMAGE, LLMOPS_PACKAGE, LLMOPS_GIT_TOKEN (protected)",
        "policies": "CI/CD configuration file: .gitlab/llmops.yml of a project that others own",
        "checks": "merge requests: pipelines must succeed, and a skipped one is no success",
        "folder": "folder: the variable LLMOPS_PACKAGE, and the secret text llmops-git",
        "jenkinsfile": "multibranch: the Jenkinsfile of a repository that other people own",
    },
    "zh": {
        "variable": "变量：gh variable set LLMOPS_PACKAGE --body git+https://HOST/OWNER/llmops@COMMIT",
        "workflow": "规则集：要求通过此工作流，且它取自由他人负责的仓库",
        "key": "密钥：一个自己的 GitHub App（llmops app --manifest），llmops app 使用其私钥运行",
        "check": "规则集：llmops doctor --ruleset target --app ID 会打印出来，导入即可",
        "environments": "environment：llmops-gpu，以及设有必需审批人的 llmops-gpu-forks",
        "doctor": "llmops doctor --github 会指出还缺什么",
        "include": "include：在你们的 .gitlab-ci.yml 中加入 .gitlab/llmops.yml 及其各 stage",
        "variables": "变量：LLMOPS_IMAGE、LLMOPS_PACKAGE、LLMOPS_GIT_TOKEN（受保护）",
        "policies": "CI/CD 配置文件：由他人负责的项目中的 .gitlab/llmops.yml",
        "checks": "合并请求：流水线必须成功，被跳过的流水线不算成功",
        "folder": "文件夹：变量 LLMOPS_PACKAGE，以及 secret text llmops-git",
        "jenkinsfile": "多分支：取自由他人负责的仓库的 Jenkinsfile",
    },
}
