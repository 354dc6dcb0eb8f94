"""Configurations of other tools -> specs of ours, with comments on what could not be carried.

In: the text of an axolotl, LLaMA-Factory or promptfoo configuration, and a function that looks up
the files it names. Out: `Imported`: specs by kind and name as plain data, comments by their place,
rows to write beside them, and a note for each thing that no spec says, with its line. Nothing is
run, nothing is fetched, nothing is guessed: what nobody can know from the text (the digest of
weights, a commit of a hub) is left out, `llmops validate` refuses exactly that place until it is
filled in, and `remaining` lists those places. What a kind would refuse is never written: `fit`
takes it out again and notes it. Dry.

A tool's flat keys are a table (`keys.py`): theirs, ours, what is done to the value. The same table
makes the manual's page. To add a tool: one file with `KEYS` and `read(document, near)`, and its
line in `read.py`.
"""
