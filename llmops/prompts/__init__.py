"""Prompts as text: a Prompt and the values of its inputs -> messages, and what can be said of them.

In: the plain values of a Prompt spec, its few-shot files, values by input. Out: messages, to the
byte those that a worker gives to a model (`render`); golden text that a reviewer reads in a diff
(`golden`); whether a value of a stranger can change anything but itself (`probes`). Dry and in one
place, so that a test, a command and a worker cannot see different prompts.

Rendering executes a template, which may come from a pull request: it is done by whoever runs jobs
and by `llmops prompt`, in a process of its own with limits (`python -m llmops.prompts`), never
while planning or judging. Those compare digests (`golden.meaning`).
"""
