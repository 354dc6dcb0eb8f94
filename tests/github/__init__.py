"""A GitHub for tests: it remembers, its clock is virtual, its repositories are real git.

    fake = FakeGitHub(tmp_path)                        # or FakeGitHub(tmp_path, VirtualClock())
    repo = fake.repository("acme/llm", {"specs/a.yaml": "..."})   # bare git at repo.path
    pull = repo.pull("change", {"specs/a.yaml": "..."}, by="alice")  # also source=repo.fork("eve")
    token = fake.token(fake.app(), repo)               # installation; GATE_PERMISSIONS unless named
    forge = connect(Repo("acme", "llm"), token, clock=fake.clock, adapter=fake.adapter())
    ... ; fake.assert_polite()

**Tokens**: `token(app, repo, checks="read")` (an hour), `workflow_token(repo, ...)` (GITHUB_TOKEN:
github-actions[bot], App 15368), `person_token(login)`. A JWT signed with `app.key` works as on
GitHub (`iat` not in the future, `exp` within ten minutes; `fake.installation(app, "acme")`). No
token: reads of public repositories only.
**Git**: `repo.path` is a remote (clone, fetch, push). `repo.push(files, branch, by=...)`,
`pull.push(files)`, `onto=sha` for a force push, `repo.delete_branch`, `repo.tip()`,
`pull.merge_commit()` (refs/pull/N/merge), `pull.merge()`, `.close()`, `.reopen()`, `.ready()`,
`pull.source = None` (deleted fork). What others push with git is seen at the next request.
**People**: `organization("acme", "alice")`, `team("acme/owners", "bob")`, `repo.roles["bob"] =
"write"`, `pull.review("APPROVED", by="bob", commit=sha)`, `pull.dismiss(review)`,
`repo.comment(number, text, by)`. A person's commits have `login@users.noreply.github.com`.
**Runs**: `run = fake.run(repo, pull.head_sha, source="eve/llm")`, `run.upload(name, files | folder
| bytes, expired=, said_size=)`, `run.finish("success")`, `run.rerun()`. A zip comes from another
host.
**Seen**: `repo.checks_at(sha, name)` (newest of each name and App), `repo.state_of(sha, name)`,
`repo.comments`, `repo.statuses`, `pull.labels`, `repo.sarifs`, `repo.deployments`, `fake.writes()`,
`fake.requests`.
**Settings** (doctor): `repo.ruleset(settings.required_checks("llmops/gate", app_id=7),
settings.merge_queue(), bypass=[...])`, `settings.ruleset(fake, organization, [...])`,
`repo.protection["main"] = {...}`, `repo.environment("llmops-gpu", secrets=["KEY"], rules=[...])`,
`repo.settings["actions/secrets"] = ["KEY"]` (see `routes_settings` for each path).
**Faults**: `fake.faults.add(Fault(status=502, lost=True), times=2, method="POST",
path="check-runs")` (`lost`: it happened, the answer did not arrive), `RESET`, `TIMEOUT`,
`TRUNCATED`, `Fault("slow", seconds=90)`, `Fault("limited", status=429, retry_after=30)` (`reset=` a
primary limit, neither: one without a word), `fake.faults.outage(start, 600, 0.3, seed=1)`.
`fake.limits.budget = 10` makes the hourly budget small; `fake.clock.skew` makes the reader's clock
wrong, `fake.date_skew` GitHub's.
**Clock**: `VirtualClock` moves when somebody sleeps or `advance`s. `fake.assert_polite()` fails
when a request came before it was allowed, two writes were less than a second apart, or a token
leaked.
**Shape**: after each test every request and answer is held against GitHub's own OpenAPI description
(`pytest -m online tests/github` puts it into the user's cache; without it nothing is judged).
`fake.undescribed = True` for a test that sends what is wrong; `fake.assert_described()` at once.
**Webhooks**: `hooks = fake.webhooks()`: `.pending`, `.deliver(receiver)`, `.take("push")`,
`.drop(...)`, `.duplicate(10)`, `.shuffle(seed)`, `.forged(delivery)`; `Delivery.headers`, `.body`,
`.id`.
**Merge queue**: `queue = repo.queue(build=5, batch=5, source=app.id)`, `queue.add(pull)`,
`queue.groups`, `queue.settle()` lands what passed and drops what failed, `queue.landed`,
`queue.dropped`.
**Over http**: `with fake.serve() as api_url:` on the loopback, the same state and faults.
"""

from tests.github.clock import VirtualClock
from tests.github.faults import RESET, TIMEOUT, TRUNCATED, Fault
from tests.github.server import FakeGitHub
from tests.github.state import ACTIONS_APP, GATE_PERMISSIONS
from tests.github.webhooks import Delivery, Webhooks, signature

__all__ = [
    "ACTIONS_APP", "GATE_PERMISSIONS", "RESET", "TIMEOUT", "TRUNCATED", "Delivery", "FakeGitHub",
    "Fault", "VirtualClock", "Webhooks", "signature",
]  # fmt: skip
