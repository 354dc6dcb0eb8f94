"""A runner of workflow files for tests: what our workflows say is done, against a fake GitHub.

    actions = Actions(fake, repo, tmp_path, world=WORLD)     # world: a stand-in worker's, or None
    with fake.serve():
        done = actions.pull_request(pull)                    # or merge_group(group), push(...)
    done.conclusion; done.jobs["gate"].conclusion; done.job("run").log; done.summary

The workflow is taken from where GitHub takes it (the merge commit of the pull request, the group's
head, the pushed commit), unless `required=` gives a text, as a ruleset's required workflow does.
The `run:` steps are executed by bash in a workspace that the checkout step made from the bare
repository; artifacts go through the fake; `GITHUB_TOKEN` has the permissions that the job asks
for, and only reads where the pull request is of a fork. `actions/*` are known by their full commit
and emulated (`actions.py`). A step, a key, an expression or an action that is not known here is
refused (`Unknown`), so that nothing counts as run that was not.

`ends={"run": "cancelled"}` says how a job ends instead of running it, as when a person cancels it.
"""

from tests.runner.expressions import Unknown
from tests.runner.flow import Actions, Done

__all__ = ["Actions", "Done", "Unknown"]
