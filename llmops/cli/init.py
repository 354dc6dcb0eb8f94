"""`llmops init`: a repository of one's own, small and whole, with a first verdict in minutes.

It makes a folder, a git repository and two commits on `main`: first what must hold (policy and
owners), then the assistant that is judged by it. It comes from a shipped example, or from
somebody's own CSV of texts and labels (`--from-csv`), which is read, cleaned and sized first. No
network, no GPU, nothing hidden: every file is text or rows, and the commands to go on with are
printed. In a repository that has specs already it adds the files of its CI and nothing else.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmops.cli import common, labelled, scaffold, wiring
from llmops.cli.output import complain
from llmops.diagnostics import printable, render
from llmops.errors import UsageError

EXAMPLES = """\
  llmops init my-assistant --example tiny
  llmops init my-assistant --lang zh --ci none
  llmops init --ci github --runners self-hosted
  llmops init my-labels --from-csv intents.csv --text text --label intent"""
EXAMPLE = "tiny"


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `init`."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where (default: .)")
    parser.add_argument(
        "--example", choices=scaffold.examples(), default=None, help=f"which example ({EXAMPLE})"
    )
    parser.add_argument(
        "--from-csv", metavar="FILE", help="from your own rows instead: a CSV of texts and labels"
    )
    parser.add_argument("--text", metavar="COL", help="its column of texts")
    parser.add_argument("--label", metavar="COL", help="its column of labels")
    parser.add_argument(
        "--encoding", choices=labelled.ENCODINGS, default="utf-8", help="of the CSV (utf-8)"
    )
    parser.add_argument(
        "--lang", choices=scaffold.LANGUAGES, default="en", help="language of README and comments"
    )
    wiring.add(parser)
    parser.add_argument(
        "--force", action="store_true",
        help="also into a folder that is in use; files of the same name are replaced",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """0; 2 when something would be lost or stands in the way, or rows are wrong."""
    from llmops.specs import schema

    _expect_words(args)
    folder = _folder(args)
    if wiring.is_for(args, folder):
        common.say(wiring.wire(args, folder))
        return 0
    made = _from_example(args) if args.from_csv is None else _from_csv(args)
    texts = {**made.texts, **wiring.texts(args)}
    texts[schema.PATH] = schema.text(schema.schema()).encode("utf-8")
    committed = scaffold.Place(folder, args.force).fill(texts, made.messages)
    common.say(_next(args, len(texts), committed, made))
    return 0


@dataclass(frozen=True, slots=True)
class Made:
    """Files by path, the messages of their two commits, what is told first, and how long it is."""

    texts: Mapping[str, bytes]
    messages: tuple[str, str]
    told: tuple[str, ...] = ()
    minutes: int = 1


def _expect_words(args: argparse.Namespace) -> None:
    """Raises UsageError for options that do not go together."""
    columns = [("--text", args.text), ("--label", args.label)]
    if args.from_csv is None:
        given = [option for option, column in columns if column is not None]
        if given:
            raise UsageError(f"{given[0]} needs --from-csv", hint="name the file with the columns")
        return
    if args.example is not None:
        raise UsageError("--example and --from-csv are two beginnings", hint="leave one out")
    missing = [option for option, column in columns if not column]
    if missing:
        hint = "--from-csv FILE --text COL --label COL"
        raise UsageError(f"--from-csv needs {' and '.join(missing)}", hint=hint)


def _from_example(args: argparse.Namespace) -> Made:
    texts = scaffold.files(args.example or EXAMPLE, args.lang)
    return Made(texts, scaffold.titles(args.lang))


def _from_csv(args: argparse.Namespace) -> Made:
    """The rows of a CSV as a repository; mistakes in rows are printed, then raised."""
    from llmops.cli import from_csv, from_csv_size, from_csv_words

    path = Path(args.directory) / args.from_csv
    asked = labelled.Asked(args.text, args.label, args.encoding)
    found = labelled.read(path, path.name, asked)
    if found.wrong:
        raise _refused(found)
    size = from_csv_size.sized(found)
    texts = from_csv.files(found, size, from_csv.name_of(path.name), args.lang)
    told = tuple(from_csv_words.said(found, size, args.lang))
    return Made(texts, from_csv_words.titles(args.lang), told, size.minutes)


def _refused(found: labelled.Labelled) -> UsageError:
    first = found.wrong[: labelled.MOST_SHOWN]
    complain(render(first))
    count, more = len(found.wrong), len(found.wrong) - len(first)
    if more:
        complain(f"and {more} more")
    at_least = "at least " if count >= labelled.MOST_WRONG else ""
    what = f"{at_least}{count} {'mistake' if count == 1 else 'mistakes'} in {printable(found.name)}"
    return UsageError(what, hint="nothing was made; mend the rows and run it again")


def _folder(args: argparse.Namespace) -> Path:
    try:
        folder: Path = Path(args.directory) / args.folder
        return folder.resolve()
    except (ValueError, OSError, RuntimeError) as error:
        raise UsageError(f'"{printable(args.folder)}" can be no folder: {error}') from error


def _next(args: argparse.Namespace, count: int, committed: bool, made: Made) -> str:
    """What was made, and the commands that give the first verdict."""
    where = Path(args.directory) / args.folder
    enter = "" if where == Path(".") else f"cd {shlex.quote(printable(str(where)))}"
    words = TEXTS[args.lang]
    lines = [*made.told, *([""] if made.told else [])]
    lines.append(words["made"].format(count=count, where=printable(args.folder)))
    lines.append(words["committed" if committed else "yours"])
    steps = [(enter, "")] if enter else []
    steps += [(f"llmops {name}", words[name]) for name in ("plan", "run", "gate")]
    took = words["minutes"].format(minutes=made.minutes) if made.told else words["minute"]
    lines += ["", words["next"].format(took=took)]
    lines += [f"  {command:<14}{'# ' if told else ''}{told}".rstrip() for command, told in steps]
    lines += ["", words["then_rows" if made.told else "then"]]
    remaining = wiring.steps(args)
    lines += ["", *remaining] if remaining else []
    return "\n".join(lines)


TEXTS = {
    "en": {
        "made": "created {count} files in {where}",
        "committed": "git: main has two commits, first what must hold, then the assistant",
        "yours": "git: this is your repository, so nothing was committed: look at git status",
        "next": "Next, the first verdict ({took} on two cores, no network, no GPU):",
        "minute": "about a minute",
        "minutes": "about {minutes} min",
        "plan": "what has to run, and which bounds will be judged",
        "run": "trains and tests on this machine",
        "gate": "the verdict",
        "then": "Then read README.md: what each folder is, and three first edits to try.",
        "then_rows": "Then read README.md: how to ask for more than the first bound.",
    },
    "zh": {
        "made": "已在 {where} 创建 {count} 个文件",
        "committed": "git：main 上已有两个提交，先是必须满足的条件，后是助手",
        "yours": "git：这是你已有的仓库，因此没有提交任何内容：请查看 git status",
        "next": "接下来得到第一个结论（两核{took}，不需要网络和 GPU）：",
        "minute": "约一分钟",
        "minutes": "约 {minutes} 分钟",
        "plan": "要执行哪些任务，要判定哪些门禁",
        "run": "在本机训练并测试",
        "gate": "得出结论",
        "then": "然后阅读 README.md：各目录的内容，以及三个可以先试的改动。",
        "then_rows": "然后阅读 README.md：如何在第一个门槛之上提出更高的要求。",
    },
}
