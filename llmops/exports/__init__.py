"""Kept evidence and verdicts -> other tools' own stores. Wet, and only where somebody says so.

In: a plan, its verdict, the store of evidence. Out: `Record`s (dry values: parameters, metrics,
tags, files), written into a tool that people already look at. An export is a copy and never a
second source of truth: nothing of it is ever read back, every record carries the digest of what it
was made from, and exporting the same again adds nothing. No secret is among what is copied, and
no record goes to another machine without its address being named.

To add a tool: one file that writes `Record`s, and a command in `cli/export.py`.
"""
