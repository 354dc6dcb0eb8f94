"""Plan, Verdict, Changes or Report -> text for people, JSON for tools. Values in, text out.

In: `jobs.base.Plan`, `rules.base.Verdict`, a tuple of `Change`, diagnostics, or a `report.Report`
(a verdict with what `dossier` read of kept artifacts). Out: one string per format: `text` for a
terminal, `json`, `markdown` for a pull request, `sarif`, `junit`, `github`; pages as `html`, `md`,
`csv`. Nothing here decides anything, and nothing touches a disk, a clock or the environment: width
and colour are arguments. Pages are told in each language of `phrases.py`; `content.py` is what they
consist of before any format.

To add a format: one file `NAME.py` with a function of (value, page), one line in `render.py`, one
golden file of a fixed value. To add a language: a field in `phrases.py`. Shared: `words.py` (the
same words and numbers everywhere), `layout.py` (a terminal's columns), `escape.py` (text of others
is shown, never obeyed), `blocks.py` (a comment within its byte limit), `changes.py`,
`plan_words.py`, `verdict_words.py`.
"""
