"""Plan, Verdict or Changes -> text for people and JSON for tools. Values in, text out.

In: `jobs.base.Plan`, `rules.base.Verdict`, a tuple of `Change`. Out: one string per format
(`text` for a terminal, `json`, `markdown` for a pull request). Nothing here decides anything, and
nothing touches a disk, a clock or the environment: width and colour are arguments.
To add a format: one file `NAME.py` with a function of (value, page), one line in `render.py`, one
golden file of a fixed value. Shared: `words.py` (the same words and numbers everywhere),
`layout.py` (a terminal's columns), `escape.py` (text of others is shown, never obeyed),
`blocks.py` (a comment within its byte limit), `changes.py`, `plan_words.py`, `verdict_words.py`.
"""
