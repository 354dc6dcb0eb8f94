"""Workflow files of CI systems: those that llmops writes, and what is wrong with a user's own. Dry.

In: the text of a workflow. Out: diagnostics with `path:line:col` (`lint.py`, one file per class of
mistake, a table NAME -> check); or from a choice of CI and runners, the text of a workflow
(`templates.py`, files below `templates/`). Nothing here reads a disk but the package's own files.
"""
