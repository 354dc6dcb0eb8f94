"""What `llmops init --from-csv` says of somebody's rows, in two languages: files and terminal.

In: rows as they were read, and what was sized from them. Out: the values of the template's
`@word@`s, and the lines that are printed. Words of a file are shown by `printable` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmops.cli.from_csv_size import Sized
from llmops.cli.labelled import LONGEST_TEXT, Labelled, Left
from llmops.diagnostics import printable

MOST_IN_TABLE = 100  # labels that the data card lists
FEW = 10  # rows of a label below which nothing can be said of it
BIG_MB = 50
SHOWN = 3  # labels that a line names


def values(found: Labelled, size: Sized, name: str, language: str) -> dict[str, str]:
    """Each word of the template for these rows."""
    words, parts = TEXTS[language], size.parts
    both = {f"bound_{each}": _bound(size, len(found.labels), each) for each in TEXTS}
    spare = {f"spare_{each}": _spare(size, each) for each in TEXTS}
    return {
        **both,
        **spare,
        f"asks_{language}": _asks(size, len(found.labels), language),
        f"card_{language}": "\n".join(f"- {line}" for line in _card(found, size, language)),
        f"minutes_{language}": words["about"].format(minutes=size.minutes),
        "name": name,
        "file": _code(found.name),
        "description": _quoted(words["made_from"].format(file=printable(found.name, 80))),
        "digest": found.digest,
        "columns": words["and"].join(_code(c) for c in found.columns),
        "least": str(len(found.rows) * 9 // 10),  # a few may go, a file that was cut off not
        "labels": str(len(found.labels)),
        "longest": str(LONGEST_TEXT),
        "test": f"{parts.rows('test'):,}",
        "parts": f"{{{', '.join(f'{part}: {share}' for part, share in parts.shares.items())}}}",
        "hidden": str(size.hidden),
        "intermediate": str(size.hidden * 11 // 4),
        "vocabulary": str(size.vocabulary),
        "steps": str(size.steps),
        "warmup": str(max(5, size.steps // 10)),
        "batch": str(size.batch),
        "seconds": str(size.seconds),
        "timeout": str(max(10, size.seconds // 6)),
        "max_tokens": str(max(len(label.encode()) for label in found.labels) + 2),
        "margin": f"{size.margin:g}",
        "require": f"      require: {{min: {size.accuracy:g}}}\n" if size.accuracy else "",
        "slices": _slices(size),
        "tests": _tests(size, name),
        "table": "\n".join(_table(found, size, language)),
    }


def _bound(size: Sized, labels: int, language: str) -> str:
    words = TEXTS[language]
    if size.accuracy is None:
        return words["no_bound"].format(test=f"{size.parts.rows('test'):,}")
    return words[size.beats].format(bound=f"{size.accuracy:g}", labels=labels)


def _asks(size: Sized, labels: int, language: str) -> str:
    words = TEXTS[language]
    said = [_bound(size, labels, language)]
    if size.sliced:
        said.append(words["each"].format(floor=f"{size.floor:g}", sliced=len(size.sliced)))
    return ("" if language == "zh" else " ").join(said)


def _spare(size: Sized, language: str) -> str:
    unused = size.parts.rows("unused")
    return TEXTS[language]["spare"].format(unused=f"{unused:,}") if unused else ""


def _slices(size: Sized) -> str:
    if not size.sliced:
        return ""
    named = ", ".join(_quoted(label) for label in size.sliced)
    return (
        "  slices:\n"
        "    - name: by-label\n"
        "      column: answer\n"
        f"      values: [{named}]\n"
        "      check: accuracy\n"
        f"      require: {{min: {size.floor:g}}}\n"
    )


def _tests(size: Sized, name: str) -> str:
    """Tests of the policy that hold for these bounds; none where there is no bound."""
    if size.accuracy is None:
        return ""
    gate = f"Evaluation/{name}/accuracy"
    tested = min(size.parts.rows("test"), 20_000)
    right = round(tested * size.accuracy)
    lower = round(size.accuracy - 0.01, 2)
    return (
        "    - name: no-better-than-the-bound-is-not-shown\n"
        f"      counts: {{{gate}: {{right: {right}, of: {tested}}}}}\n"
        f"      expect: {{{gate}: inconclusive}}\n"
        "    - name: a-lower-bound-needs-approval\n"
        f'      set: {{"Evaluation/{name}.checks[accuracy].require.min": {lower:g}}}\n'
        "      expect: {policy-looser: inconclusive}\n"
    )


def _table(found: Labelled, size: Sized, language: str) -> Iterator[str]:
    tested = size.parts.counts["test"]
    for label, rows in list(found.labels.items())[:MOST_IN_TABLE]:
        yield f"| {_code(label)} | {rows:,} | {tested[label]:,} |"
    more = len(found.labels) - MOST_IN_TABLE
    if more > 0:
        yield f"| {TEXTS[language]['more'].format(count=more)} | | |"


def _card(found: Labelled, size: Sized, language: str) -> Iterator[str]:
    """What the data card says, line by line."""
    words = TEXTS[language]
    yield words["read"].format(
        read=f"{found.read:,}", rows=f"{len(found.rows):,}", labels=len(found.labels)
    )
    yield words["cut_in"].format(
        **{part: f"{size.parts.rows(part):,}" for part in ("train", "validation", "test")}
    ) + _spare(size, language)
    yield from notes(found, size, language)


def notes(found: Labelled, size: Sized, language: str) -> Iterator[str]:
    """What was left out, and what looks odd; nothing where all is well."""
    words = TEXTS[language]
    kinds = ("empty", "repeated", "contradicted", "cut")
    for kind in kinds:
        left: Left = getattr(found, kind)
        if left.count:
            more = words["and_more"] if left.count > len(left.lines) else ""
            lines = ", ".join(left.lines)
            yield words[kind].format(count=f"{left.count:,}", lines=lines + more, most=LONGEST_TEXT)
    if found.others:
        yield words["others"].format(columns=", ".join(_code(c) for c in found.others[:12]))
    for first, other in found.alike[:SHOWN]:
        yield words["alike"].format(first=_code(first), other=_code(other))
    megabytes = sum(len(row.text.encode()) + 60 for row in found.rows) // 10**6
    if megabytes >= BIG_MB:
        yield words["big"].format(megabytes=f"{megabytes:,}")
    few = [label for label, rows in found.labels.items() if rows < FEW]
    if few:
        yield words["few"].format(count=len(few), least=FEW, labels=_some(few))
    untested = [label for label in found.labels if not size.parts.counts["test"][label]]
    if untested:
        yield words["untested"].format(count=len(untested), labels=_some(untested))


def said(found: Labelled, size: Sized, language: str) -> list[str]:
    """What is printed of the rows before anything is run."""
    words = TEXTS[language]
    labels = list(found.labels.items())
    (most, most_rows), (least, least_rows) = labels[0], labels[-1]
    separator = {"\t": "tab"}.get(found.separator, found.separator)
    lines = [
        words["from"].format(file=printable(found.name, 120), separator=separator),
        words["read"].format(
            read=f"{found.read:,}", rows=f"{len(found.rows):,}", labels=len(labels)
        ),
        words["spread"].format(
            most=printable(most, 40), most_rows=f"{most_rows:,}",
            least=printable(least, 40), least_rows=f"{least_rows:,}",
        ),
        words["cut_in"].format(
            **{part: f"{size.parts.rows(part):,}" for part in ("train", "validation", "test")}
        ) + _spare(size, language),
        *notes(found, size, language),
        _asks(size, len(labels), language),
        words["margin"].format(margin=f"{size.margin:g}"),
    ]  # fmt: skip
    return [line.replace("`", '"') for line in lines]


def titles(language: str) -> tuple[str, str]:
    """The messages of the two first commits."""
    return {
        "en": ("What must hold: policy and owners", "The rows, what learns them, and their test"),
        "zh": ("必须满足的条件：策略与负责人", "数据、训练与测试"),
    }[language]


def _some(labels: list[str]) -> str:
    more = ", …" if len(labels) > SHOWN else ""
    return ", ".join(_code(label) for label in labels[:SHOWN]) + more


def _code(text: str) -> str:
    """A word of the file inside Markdown, where it can open nothing."""
    plain = printable(text, 60).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`"


def _quoted(text: str) -> str:
    """A text as a YAML scalar, whatever stands in it."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'


TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "about": "about {minutes} min",
        "made_from": "Made from {file}; its data card is specs/data/README.md.",
        "and": " and ",
        "from": 'from {file} (columns separated by "{separator}")',
        "read": "{read} rows were read, {rows} can be used; they have {labels} labels.",
        "spread": (
            '"{most}" is the commonest label with {most_rows} rows, "{least}" the rarest with '
            "{least_rows}"
        ),
        "cut_in": (
            "Cut by the hash of the text: {train} rows for training, {validation} for "
            "validation, {test} for the test."
        ),
        "spare": (
            " {unused} rows are unused, as more take longer: give the share of `unused` to `train`."
        ),
        "empty": "{count} rows have no text or no label and were left out: lines {lines}",
        "repeated": (
            "{count} rows say again what an earlier one says and were left out: lines {lines}"
        ),
        "contradicted": (
            "{count} texts have two labels, and nobody can tell which is right: left out, lines "
            "{lines}"
        ),
        "cut": (
            "{count} texts were cut to {most} characters, as much as the small model reads in "
            "its time: lines {lines}"
        ),
        "and_more": ", …",
        "others": "Not taken over: the columns {columns}",
        "big": (
            "The rows take {megabytes} MB, and many hosts of git refuse a file of 100 MB: "
            "name it by `uri` and `digest` instead of `file`."
        ),
        "alike": "The labels {first} and {other} differ in case or blanks alone: are they one?",
        "few": "{count} labels have fewer than {least} rows, too few for any gate: {labels}",
        "untested": (
            "{count} labels have no row in the test, so nothing is measured on them: {labels}"
        ),
        "more": "and {count} more",
        "commonest": (
            "The first bound: accuracy at least {bound}, what always answering the commonest "
            "label would reach."
        ),
        "guess": (
            "The first bound: accuracy at least {bound}, what guessing among the {labels} labels "
            "would reach; the commonest label alone would reach more, but so few test rows "
            "cannot show that much."
        ),
        "no_bound": (
            "No bound on accuracy: {test} test rows cannot show that a model is better than a "
            "guess."
        ),
        "each": (
            "Each of {sliced} labels must be right at least {floor} of the time, as a guess "
            "would be."
        ),
        "margin": "After that an update may not lose more than {margin}.",
    },
    "zh": {
        "about": "约 {minutes} 分钟",
        "made_from": "由 {file} 生成；数据卡见 specs/data/README.md。",
        "and": " 与 ",
        "from": "来自 {file}（列以“{separator}”分隔）",
        "read": "读取 {read} 行，可用 {rows} 行，共 {labels} 个标签。",
        "spread": "最常见的标签是“{most}”（{most_rows} 行），最少的是“{least}”（{least_rows} 行）",
        "cut_in": "按文本哈希切分：训练 {train} 行，验证 {validation} 行，测试 {test} 行。",
        "spare": " 另有 {unused} 行未使用（数据越多耗时越长）：可把 `unused` 并入 `train`。",
        "empty": "{count} 行没有文本或没有标签，未采用：第 {lines} 行",
        "repeated": "{count} 行与前面的行重复，未采用：第 {lines} 行",
        "contradicted": "{count} 条文本有两个标签，无法判断哪个正确，未采用：行 {lines}",
        "cut": "{count} 条文本被截到 {most} 个字符，小模型来不及读更长的文本：第 {lines} 行",
        "and_more": "……",
        "others": "未采用的列：{columns}",
        "big": (
            "数据有 {megabytes} MB，许多 git 平台拒收 100 MB 以上的文件："
            "可用 `uri` 与 `digest` 代替 `file`。"
        ),
        "alike": "标签 {first} 与 {other} 只有大小写或空白不同：是否为同一个？",
        "few": "{count} 个标签不足 {least} 行，无法做任何门禁：{labels}",
        "untested": "{count} 个标签在测试集中没有数据，无法测量：{labels}",
        "more": "另有 {count} 个",
        "commonest": "第一个门槛：准确率至少 {bound}，即总是回答最常见标签所能达到的水平。",
        "guess": (
            "第一个门槛：准确率至少 {bound}，即在 {labels} 个标签中随机猜测的水平；"
            "总答最常见标签会更高，但测试行太少，无法证明那么高的水平。"
        ),
        "no_bound": "准确率没有门槛：{test} 行测试数据无法证明模型优于随机猜测。",
        "each": "{sliced} 个标签各自的正确率至少 {floor}，即随机猜测的水平。",
        "margin": "此后的更新，损失不得超过 {margin}。",
    },
}
