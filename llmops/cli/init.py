"""`llmops init`: a repository of one's own, small and whole, with a first verdict in a minute.

It makes a folder, a git repository and two commits on `main`: first what must hold (policy and
owners), then the assistant that is judged by it. No network, no GPU, nothing hidden: every file
is text or rows, and the commands to go on with are printed.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from llmops.cli import common, scaffold
from llmops.diagnostics import printable
from llmops.errors import UsageError

EXAMPLES = """\
  llmops init my-assistant --example tiny
  llmops init my-assistant --lang zh --ci none"""
CI = ("github", "none")


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `init`."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where (default: .)")
    parser.add_argument(
        "--example", choices=scaffold.examples(), default="tiny", help="which example (tiny)"
    )
    parser.add_argument(
        "--lang", choices=scaffold.LANGUAGES, default="en", help="language of README and comments"
    )
    parser.add_argument(
        "--ci", choices=CI, default="github", help="with a workflow for pull requests, or without"
    )
    parser.add_argument(
        "--force", action="store_true",
        help="also into a folder that is in use; files of the same name are replaced",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """0; 2 when something would be lost or stands in the way."""
    from llmops.specs import schema

    texts = scaffold.files(args.example, args.lang)
    texts[schema.PATH] = schema.text(schema.schema()).encode("utf-8")
    if args.ci == "none":
        texts = {p: t for p, t in texts.items() if not p.startswith(scaffold.WORKFLOWS)}
    folder = _folder(args)
    committed = scaffold.Place(folder, args.force).fill(texts, scaffold.titles(args.lang))
    common.say(_next(args, len(texts), committed))
    return 0


def _folder(args: argparse.Namespace) -> Path:
    try:
        folder: Path = Path(args.directory) / args.folder
        return folder.resolve()
    except (ValueError, OSError, RuntimeError) as error:
        raise UsageError(f'"{printable(args.folder)}" can be no folder: {error}') from error


def _next(args: argparse.Namespace, count: int, committed: bool) -> str:
    """What was made, and the commands that give the first verdict."""
    where = Path(args.directory) / args.folder
    enter = "" if where == Path(".") else f"cd {shlex.quote(printable(str(where)))}"
    words = TEXTS[args.lang]
    lines = [words["made"].format(count=count, where=printable(args.folder))]
    lines.append(words["committed" if committed else "yours"])
    steps = [(enter, "")] if enter else []
    steps += [(f"llmops {name}", words[name]) for name in ("plan", "run", "gate")]
    lines += ["", words["next"]]
    lines += [f"  {command:<14}{'# ' if told else ''}{told}".rstrip() for command, told in steps]
    lines += ["", words["then"]]
    return "\n".join(lines)


TEXTS = {
    "en": {
        "made": "created {count} files in {where}",
        "committed": "git: main has two commits, first what must hold, then the assistant",
        "yours": "git: this is your repository, so nothing was committed: look at git status",
        "next": "Next, the first verdict (about a minute on two cores, no network, no GPU):",
        "plan": "what has to run, and which bounds will be judged",
        "run": "trains and tests on this machine",
        "gate": "the verdict",
        "then": "Then read README.md: what each folder is, and three first edits to try.",
    },
    "zh": {
        "made": "已在 {where} 创建 {count} 个文件",
        "committed": "git：main 上已有两个提交，先是必须满足的条件，后是助手",
        "yours": "git：这是你已有的仓库，因此没有提交任何内容：请查看 git status",
        "next": "接下来得到第一个结论（两核约一分钟，不需要网络和 GPU）：",
        "plan": "要执行哪些任务，要判定哪些门禁",
        "run": "在本机训练并测试",
        "gate": "得出结论",
        "then": "然后阅读 README.md：各目录的内容，以及三个可以先试的改动。",
    },
}
