"""The far side of a run folder: one job in, one result out, for real.

Flows in: `job.json`, inputs named by digest. Flows out: `progress.jsonl`, files below
`artifacts/`, and last of all `result.json` (or `error.json` when the world failed). Executors
start `python -m llmops.workers RUN_FOLDER` and read nothing else of this room.

To add a job type: one module here with `work(run: RunFolder) -> Outcome`, and one line in the
table of `__main__.py`. Modules are imported by name and late, so that a job pays only for the
tools it uses. What several workers need stands in modules of its own (`contract.py`, `rows.py`,
`answer.py`: how a target is asked); the modules of that table never import each other.

Why apart: this is the only room that imports torch, transformers, peft, accelerate, deepspeed,
deepeval and giskard. It runs on other machines and on data that a pull request chose, so it reads
no pickle, believes no byte whose digest it has not checked, and opens no network but to a judge
that is an endpoint (`endpoint.py`), where the run folder names one and the machine allows it.
"""
