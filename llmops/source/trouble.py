"""What the YAML scanner says -> what a person can act on. Dry.

The scanner's own words stay in the message, so that they can be searched for; the hint says what
most often causes them. To add one: a line in `_HINTS`.
"""

from __future__ import annotations

_INDENT = "check the indentation of this line and the one above"

_HINTS: tuple[tuple[str, str], ...] = (
    (
        "mapping values are not allowed",
        'quote a text that has ": " in it, or look for a missing ":" above',
    ),
    (
        "block sequence entries are not allowed",
        "start the list on a line of its own, below its key",
    ),
    ("found unexpected ':'", 'quote it: inside {{ }} and [ ] a text with ":" needs quotes'),
    ("could not find expected ':'", 'a key needs ": " after it; quote a text that goes over lines'),
    ("unexpected end of stream", "close what was opened here"),
    (
        "did not find expected ',' or ']'",
        'close the list of line {line} with "]", or put "," between items',
    ),
    (
        "did not find expected ',' or '}'",
        'close the braces of line {line} with "}}", or put "," between keys',
    ),
    ("did not find expected node content", "a value is missing, or a bracket is not closed"),
    ("did not find expected key", _INDENT),
    ("did not find expected '-' indicator", _INDENT),
    ("did not find expected <document start>", "remove what stands after the end of the document"),
    ("unknown escape character", 'write "\\\\" for a backslash, or use single quotes'),
    ("escape", "check the escape, or use single quotes"),
    ("directive", 'remove the line that starts with "%"'),
    ("indentation", _INDENT),
)


def explain(problem: str, context: str, character: str, opened: int) -> tuple[str, str]:
    """Message and hint for the scanner's problem.

    `character` is where it stopped ("" at the end of the file), `opened` the line where the
    construct that it was reading began.
    """
    if character == "\t" or "tab character" in problem:
        return "a tab where spaces are expected", "indent with spaces"
    if "cannot start any token" in problem:
        return f'"{character}" cannot start a value', "put the text in quotes"
    said = f"{problem} {context}".strip() or "this is not YAML"
    for words, hint in _HINTS:
        if words in problem:
            return said, hint.format(line=opened)
    return said, "check indentation, quotes and brackets near here"
