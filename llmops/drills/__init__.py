"""Drills: models that are bad on purpose, against the repository's own gates.

In: a repository whose main is judged. Out: a `Drilled` report: which planted model was stopped by
which gate, whether harmless twins passed, and which gates stopped nothing. Each plant is one
commit on a copy of main, and goes through `pipeline` like any pull request; so this room stands
above the pipeline and below the command line. Nothing of the user's repository is changed.

To add a plant: a function `(Scene, seed) -> Files` in one of the families, and its line in
`table.py`. It raises UnfitError where it cannot be made; then it is listed and counts for nothing.
"""
