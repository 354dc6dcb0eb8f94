from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from llmops.forge.guards import Asked, Guard
from llmops.forge.guards_branch import actor
from llmops.forge.protection import judge
from llmops.forge.settings import EVIDENCE, LOG, Seen, Settings
from tests.github.settings import merge_queue, paths, plain, required_checks, reviews, workflows

Rule = Mapping[str, Any]


def made(
    rules: Iterable[Rule] = (),
    *,
    classic: Mapping[str, Any] | None = None,
    bypass: Iterable[Rule] = (),
    **more: Any,
) -> Settings:
    """Settings in which what is not said is as good as it can be, but for the branch's rules."""
    kept = tuple(plain("deletion", "non_fast_forward", "update"))
    about = {
        "id": 1, "name": "main", "enforcement": "active", "target": "branch",
        "bypass_actors": [*bypass], "rules": [*rules],
    }  # fmt: skip
    on_main = tuple({**one, "ruleset_id": 1} for one in rules)
    settings = Settings(
        repository={"private": False},
        branch="main",
        rules={"main": Seen(on_main), EVIDENCE: Seen(kept), LOG: Seen(kept)},
        protection={"main": Seen(classic or {}), EVIDENCE: Seen({}), LOG: Seen({})},
        rulesets=Seen((about,)),
        environments=Seen(()),
        secrets={"repository": Seen(()), "organization": Seen(())},
        actions=Seen({"allowed_actions": "selected", "sha_pinning_required": True}),
        workflow=Seen({"default_workflow_permissions": "read"}),
        forks=Seen({"approval_policy": "all_external_contributors"}),
        runners=Seen(()),
        codeowners=Seen("/.github/ @a/b\n/policies/ @a/c\n"),
    )
    return replace(settings, **more)


GOOD = (
    *plain("deletion", "non_fast_forward"), reviews(), merge_queue(),
    required_checks("llmops/gate", app_id=7),
)  # fmt: skip


def of(settings: Settings, name: str, asked: Asked | None = None) -> list[Guard]:
    return [one for one in judge(settings, asked or Asked()) if one.id == name]


def state(settings: Settings, name: str, asked: Asked | None = None) -> str:
    return " ".join(one.state for one in of(settings, name, asked))


def without(kind: str) -> list[Rule]:
    return [one for one in GOOD if one["type"] != kind]


def test_what_is_set_well_is_ok_in_every_question() -> None:
    assert {one.state for one in judge(made(GOOD), Asked(app_id=7))} == {"ok"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("required_status_checks", "required-check"),
        ("merge_queue", "merge-queue"),
        ("pull_request", "pull-request"),
        ("non_fast_forward", "force-push"),
        ("deletion", "force-push"),
    ],
)
def test_each_rule_that_is_taken_away_is_missed(kind: str, name: str) -> None:
    found = of(made(without(kind)), name)
    assert [one.state for one in found] == ["warning" if name == "merge-queue" else "missing"]
    assert found[0].hint.startswith("Settings > Rules > Rulesets")


def test_the_source_of_the_check_must_be_the_app_of_the_gate() -> None:
    def source(app_id: int | None, mine: int | None = 7) -> str:
        rules = [*without("required_status_checks"), required_checks("llmops/gate", app_id=app_id)]
        return state(made(rules), "check-source", Asked(app_id=mine))

    assert source(7) == "ok"
    assert source(None) == "missing"  # whoever may write checks makes it green
    assert source(8) == "missing"
    assert source(15368) == "missing"
    assert source(15368, mine=None) == "warning"  # every workflow writes as github-actions


def test_one_rule_without_a_source_does_not_weaken_another_with_one() -> None:
    rules = [*GOOD, required_checks("llmops/gate")]
    assert state(made(rules), "check-source", Asked(app_id=7)) == "ok"


def test_an_organisation_s_required_workflow_stands_for_the_check() -> None:
    rules = [*without("required_status_checks"), workflows(1, ".github/workflows/llmops.yml")]
    assert state(made(rules), "required-check") == "ok"
    assert state(made(rules), "check-source") == "ok"


def test_a_queue_or_a_strict_check_makes_what_lands_what_was_judged() -> None:
    loose = [*without("merge_queue")[:-1], required_checks("llmops/gate", app_id=7, strict=False)]
    assert state(made(loose), "judged-tree") == "missing"
    assert state(made(without("merge_queue")), "judged-tree") == "ok"


def test_a_ruleset_that_is_not_active_is_named() -> None:
    sleeping = {"name": "trial", "enforcement": "evaluate", "rules": [*GOOD]}
    found = of(made((), rulesets=Seen((sleeping,))), "required-check")[0]
    assert 'ruleset "trial" asks for it but is not active' in found.message
    assert "Enforcement status to Active" in found.hint


@pytest.mark.parametrize(
    ("bypass", "expected"),
    [
        ([], "ok"),
        ([("RepositoryRole", 5)], "ok"),
        ([("Integration", 9)], "ok"),
        ([("RepositoryRole", 4)], "missing"),
        ([("RepositoryRole", 2)], "missing"),
        ([("DeployKey", None)], "missing"),
        ([("RepositoryRole", 5), ("Team", 3)], "missing"),
    ],
)
def test_at_most_one_role_for_emergencies_goes_around(bypass, expected: str) -> None:
    actors = [{"actor_type": kind, "actor_id": number} for kind, number in bypass]
    assert state(made(GOOD, bypass=actors), "bypass") == expected


def test_a_bypass_list_that_is_not_told_is_unknown() -> None:
    told = {"id": 1, "enforcement": "active", "rules": []}
    assert state(made(GOOD, rulesets=Seen((told,))), "bypass") == "unknown"
    assert state(made(GOOD, rulesets=Seen((), "refused")), "bypass") == "unknown"


def test_every_kind_of_actor_has_words() -> None:
    kinds = ("Integration", "OrganizationAdmin", "RepositoryRole", "Team", "DeployKey", "User")
    words = [actor({"actor_type": kind, "actor_id": 5}) for kind in kinds]
    assert words == [
        "App 5", "owners of the organisation", "everybody with the role admin", "team 5",
        "deploy keys", "person 5",
    ]  # fmt: skip


def classic(**more: Any) -> dict[str, Any]:
    return {
        "required_status_checks": {
            "strict": True, "checks": [{"context": "llmops/gate", "app_id": 7}],
        },
        "required_pull_request_reviews": {
            "dismiss_stale_reviews": True, "require_code_owner_reviews": True,
            "required_approving_review_count": 1, "require_last_push_approval": True,
        },
        "enforce_admins": {"enabled": True}, "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False}, **more,
    }  # fmt: skip


def test_classic_protection_guards_as_rulesets_do() -> None:
    found = judge(made(classic=classic()), Asked(app_id=7))
    assert {one.id for one in found if one.state != "ok"} == {"merge-queue"}


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"required_status_checks": None}, "required-check"),
        ({"required_status_checks": {"strict": True, "checks": [
            {"context": "llmops/gate", "app_id": -1}]}}, "check-source"),
        ({"required_status_checks": {"strict": False, "contexts": ["llmops/gate"]}}, "judged-tree"),
        ({"allow_force_pushes": {"enabled": True}}, "force-push"),
        ({"allow_deletions": {"enabled": True}}, "force-push"),
        ({"required_pull_request_reviews": None}, "pull-request"),
    ],
)  # fmt: skip
def test_what_classic_protection_lacks_is_missed(more: dict[str, Any], name: str) -> None:
    assert state(made(classic=classic(**more)), name) == "missing"


def test_protection_that_the_token_may_not_read_makes_what_is_not_seen_unknown() -> None:
    hidden = {"main": Seen({}, "refused"), EVIDENCE: Seen({})}
    found = judge(made((), protection=hidden), Asked())
    assert {one.state for one in found if one.id in ("required-check", "force-push")} == {"unknown"}


def test_an_approval_that_outlives_a_push_is_missed() -> None:
    stays = [*without("pull_request"), reviews(dismiss_stale_reviews_on_push=False)]
    assert state(made(stays), "stale-reviews") == "missing"


@pytest.mark.parametrize(
    ("codeowners", "owners_asked", "expected"),
    [
        ("/.github/ @a/b\n/policies/ @a/c\n", True, "ok"),
        ("* @a/b\n", True, "ok"),
        ("* @a/b\n/policies/\n", True, "missing"),  # the last line takes the owners away
        ("/policies/ @a/c\n", True, "missing"),
        ("", True, "missing"),
        ("* @a/b\n", False, "missing"),
    ],
)
def test_whether_bounds_and_workflows_need_their_owner(
    codeowners: str, owners_asked: bool, expected: str
) -> None:
    rules = [*without("pull_request"), reviews(owners=owners_asked)]
    assert state(made(rules, codeowners=Seen(codeowners)), "owned-paths") == expected


def test_paths_that_a_push_rule_closes_need_no_owner() -> None:
    closed = {
        "id": 2, "enforcement": "active", "target": "push",
        "rules": [paths(".github/**/*", "policies/**/*")],
    }  # fmt: skip
    settings = made(GOOD, codeowners=Seen(""))
    assert state(settings, "owned-paths") == "missing"
    both = Seen((*settings.rulesets.value, closed))
    assert state(replace(settings, rulesets=both), "owned-paths") == "ok"


def test_evidence_is_kept_and_written_by_the_gate_alone() -> None:
    settings = made(GOOD)
    nothing = replace(settings, rules={**settings.rules, EVIDENCE: Seen(())})
    assert state(nothing, "evidence-branch") == "missing"
    assert state(nothing, "evidence-writer") == "warning"


def test_a_log_that_is_there_is_kept_and_written_by_the_gate_alone() -> None:
    settings = made(GOOD, logged=True)
    assert state(settings, "log-branch") == "ok"
    nothing = replace(settings, rules={**settings.rules, LOG: Seen(())})
    assert state(nothing, "log-branch") == "missing"
    assert state(nothing, "log-writer") == "warning"
    assert of(replace(nothing, logged=False), "log-branch") == []


REVIEWED = {"name": "gpu", "protection_rules": [{"type": "required_reviewers", "reviewers": [{}]}]}


@pytest.mark.parametrize(
    ("environment", "asked", "expected"),
    [
        (REVIEWED, Asked(environments=("gpu",), for_forks=("gpu",)), "ok"),
        ({"name": "gpu"}, Asked(environments=("gpu",), for_forks=("gpu",)), "missing"),
        ({"name": "gpu"}, Asked(environments=("gpu",)), "warning"),
        ({"name": "other"}, Asked(environments=("gpu",)), "missing"),
        ({"name": "gpu"}, Asked(own_machines=True), "missing"),
        ({"name": "gpu"}, Asked(), ""),
    ],
)
def test_a_person_looks_before_a_stranger_s_change_runs_on_own_machines(
    environment: Rule, asked: Asked, expected: str
) -> None:
    assert (
        state(made(GOOD, environments=Seen((environment,))), "gpu-environment", asked) == expected
    )


@pytest.mark.parametrize(
    ("more", "name", "expected"),
    [
        ({"workflow": Seen({"default_workflow_permissions": "write"})}, "token-permissions",
         "missing"),
        ({"workflow": Seen({"default_workflow_permissions": "read",
                            "can_approve_pull_request_reviews": True})}, "token-approves",
         "missing"),
        ({"workflow": Seen({}, "refused")}, "token-permissions", "unknown"),
        ({"forks": Seen({"approval_policy": "first_time_contributors"})}, "fork-approval",
         "warning"),
        ({"forks": Seen({}, "refused")}, "fork-approval", "unknown"),
        ({"runners": Seen(({"id": 1},))}, "own-runners", "warning"),
        ({"runners": Seen(({"id": 1},)),
          "forks": Seen({"approval_policy": "first_time_contributors"})}, "own-runners", "missing"),
        ({"repository": {"private": True}, "runners": Seen(({"id": 1},)), "forks": Seen({})},
         "own-runners", ""),
        ({"secrets": {"repository": Seen(("KEY",))}}, "secrets-in-reach", "warning"),
        ({"secrets": {"environment gpu": Seen(("KEY",))}}, "secrets-in-reach", "ok"),
        ({"actions": Seen({"allowed_actions": "all"})}, "allowed-actions", "warning"),
        ({"actions": Seen({"allowed_actions": "local_only"})}, "allowed-actions", "warning"),
        ({"actions": Seen({}, "refused")}, "allowed-actions", "unknown"),
    ],
)  # fmt: skip
def test_what_actions_may_do(more: dict[str, Any], name: str, expected: str) -> None:
    assert state(made(GOOD, **more), name) == expected


@pytest.mark.parametrize(
    ("forks", "expected"),
    [
        ({"run_workflows_from_fork_pull_requests": False, "send_secrets_and_variables": True},
         "ok"),
        ({"run_workflows_from_fork_pull_requests": True}, "ok"),
        ({"run_workflows_from_fork_pull_requests": True, "send_secrets_and_variables": True},
         "missing"),
        ({"run_workflows_from_fork_pull_requests": True, "send_write_tokens_to_workflows": True},
         "missing"),
    ],
)  # fmt: skip
def test_what_forks_of_a_private_repository_are_given(forks: Rule, expected: str) -> None:
    settings = made(GOOD, repository={"private": True}, forks=Seen(forks))
    assert state(settings, "fork-approval") == expected


def test_every_guard_that_is_not_ok_says_what_to_change() -> None:
    bad = made((), actions=Seen({"allowed_actions": "all"}), secrets={"repository": Seen(("K",))},
               workflow=Seen({}), forks=Seen({}), codeowners=Seen(""))  # fmt: skip
    for settings in (bad, made(GOOD, rulesets=Seen((), "refused"))):
        for one in judge(settings, Asked(environments=("gpu",))):
            assert one.state == "ok" or one.hint, one
