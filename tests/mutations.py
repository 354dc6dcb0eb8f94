"""Texts that a person, a merge or somebody hostile may leave in a spec's file.

`mutated` changes bytes of given texts at random. `LONG` are texts of 64 KiB, each of one shape that
made some reader somewhere slow: deep nesting, long lines, thousands of mistakes, huge keys, many
duplicates, prefixes of secrets without end.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

SIZE = 64 * 1024
PIECES = [
    *(b"\t", b" ", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xc2\x85"),
    *(b"- ", b"? ", b": ", b":", b"[", b"]", b"{", b"}", b",", b"&a ", b"*a", b"!t ", b"!!int "),
    *(b"---\n", b"...\n", b"%YAML 1.1\n", b"|\n", b">-\n", b'"', b"'", b"\\", b"#", b"@", b"`"),
    *(b"no", b"010", b"1e999", b"2026-11-22", b"12:30", b"~", b"null", b"=", b"0x", b"9" * 50),
    *(b"\xf0\x9f\x98\x80", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xf5", "客服".encode(), b"<<: "),
    *(b"[" * 70, b"a: {", b"kind: x\n", b"<<<<<<< ours\n"),
]


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds with one to five changes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(data) + 1)
        until = min(len(data), at + rng.randint(0, 12))
        act = rng.randrange(6)
        if act == 0:
            data[at:at] = rng.choice(PIECES)
        elif act == 1:
            data[at:until] = b""
        elif act == 2:
            data[at:until] = rng.choice(PIECES)
        elif act == 3 and at < len(data):
            data[at] = rng.randrange(256)
        elif act == 4:
            data[at:at] = data[at:until] * rng.randint(1, 3)
        else:
            other = rng.choice(seeds)
            data[at:] = other[rng.randrange(len(other) + 1) :]
    return bytes(data)


def _filled(before: str, unit: str, after: str = "\n") -> str:
    """64 KiB of one unit; `#` in it counts."""
    made, size, number = [before], len(before), 0
    while size < SIZE - len(after):
        piece = unit.replace("#", str(number))
        made.append(piece)
        size += len(piece)
        number += 1
    return "".join(made) + after


def _spec(kind: str, before: str, unit: str, after: str = "\n") -> str:
    head = f"apiVersion: llmops/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\nspec:\n"
    return _filled(head + before, unit, after)


_KINDS = ("Model", "Dataset", "Recipe", "Prompt", "Evaluation", "SafetyTest", "Guardrail",
          "Application", "Environment", "Release", "Policy")  # fmt: skip
_YAML = {
    "flow items": ("a: [", "a,", "]\n"), "flow lines": ("a: [", "a,\n", "]\n"),
    "flow keys": ("a: {", "k#: 1, ", "}\n"), "open brackets": ("", "[", ""),
    "deep items": ("a: " + "[" * 60, "a,", "]" * 60), "dashes": ("", "- ", "\n"),
    "questions": ("", "? ", "\n"), "one plain": ("a: ", "word ", "\n"),
    "plain over lines": ("a: ", "word\n  ", "\n"), "escapes": ('a: "', "\\x41", '"\n'),
    "literal": ("a: |\n", "  x\n", ""), "folded blanks": ("a: >\n", "\n", ""),
    "one key again": ("", "a: 1\n", ""), "comments": ("", "#\n", "a: 1\n"),
    "tabs": ("a:\n", "\tb: 1\n", ""), "tabs in quotes": ('a: "', "\n\tb", '"\n'),
    "controls": ("", "a\x01\n", ""), "returns": ("", "a\r", ""), "bidi": ("", "\u202e", ""),
    "anchors": ("", "a#: &a# 1\n", ""), "aliases": ("a: &a 1\n", "b#: *a\n", ""),
    "tags": ("", "a#: !t 1\n", ""), "digits": ("a: ", "9", "\n"), "sixties": ("a: 1", ":10", "\n"),
    "old booleans": ("a: [", "no, ", "]\n"), "documents": ("", "---\n", ""),
    "conflicts": ("", "<<<<<<< a\n", ""), "long line": ("a: b\n", "x", ""),
    "steps": ("", "a:\n" + " " * 200, "\n"),
}  # fmt: skip
_SPECS = {
    "training keys": ("Recipe", "  training:\n", "    learning_ratex#: 1\n", ""),
    "lora modules": ("Recipe", "  lora: {target_modules: [", "q, ", "]}\n"),
    "data as text": ("Recipe", "  data: [", "a, ", "]\n"),
    "data": ("Recipe", "  data: [", "{dataset: d#}, ", "]\n"),
    "config keys": ("Model", "  init:\n    architecture:\n      model_type: llama\n",
                    "      hidden_siz#: 1\n", ""),
    "sources": ("Dataset", "  sources:\n", "    - {name: a}\n", ""),
    "parts": ("Dataset", "  splits: {method: hash, seed: 1, parts: {", "p#: 0.1, ", "}}\n"),
    "checks": ("Evaluation", "  checks:\n", "    - {name: a, metric: builtin/acc#}\n", ""),
    "slices": ("Evaluation", "  slices:\n", "    - {name: a#, check: acc#, column: c}\n", ""),
    "rules": ("Policy", "  rules:\n", "    - {name: a#, rule: evidence-presen#}\n", ""),
    "overlays": ("Environment", "  overlays:\n",
                 "    - {target: Recipe/a#, set: {training.max_step#: 1}}\n", ""),
    "layers": ("Guardrail", "  input:\n",
               '    - {name: a#, regex: {pattern: "a#+"}, action: mask}\n', ""),
    "one pattern": ("Guardrail", '  input: [{name: a, action: mask, regex: {pattern: "', "(a|b)*",
                    '"}}]\n'),
    "variables": ("Prompt", "  template: jinja2\n  system: '", "{{ v# }} ", "'\n"),
    "open ifs": ("Prompt", "  template: jinja2\n  system: '", "{% if a %}", "'\n"),
    "open braces": ("Prompt", "  template: jinja2\n  system: '", "{{ ", "'\n"),
    "parentheses": ("Prompt", "  template: jinja2\n  system: '{{ ", "(", "'\n"),
    "sums": ("Prompt", "  template: jinja2\n  system: '{{ ", "1+", "1 }}'\n"),
    **{f"{unit} as a value": ("Model", '  a: "@ sk- eyJ ', unit, '"\n')
       for unit in ("sk-", "eyJaaaaaaaa-", "a.", "a-", "a://", "-----BEGIN ", "ghp_", "key ")},
    **{f"{unit} as a key": ("Model", '  ? "@ sk- eyJ ', unit, '"\n  : 1\n')
       for unit in ("sk-", "eyJaaaaaaaa-", "a.", "a-", "a://")},
    "values of secrets": ("Model", "  a:\n", '    - api_key: "x"\n', ""),
}  # fmt: skip
LONG: Mapping[str, bytes] = {
    **{name: _filled(*parts).encode() for name, parts in _YAML.items()},
    **{name: _spec(*parts).encode() for name, parts in _SPECS.items()},
    **{f"keys of {kind}": _spec(kind, "", "  k#: 1\n", "").encode() for kind in _KINDS},
    **{f"a long key of {kind}": _spec(kind, "  ? ", "k", "\n  : 1\n").encode() for kind in _KINDS},
}
