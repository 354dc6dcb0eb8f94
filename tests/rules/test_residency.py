"""Rule residency: endpoints, judges, machines, releases and routes that take rows elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llmops.rules.base import Finding, Outcome
from tests.rules.world import World, right
from tests.trees import BANK, changed, spec

POLICY, D, APP = "policies/default.yaml", "specs/datasets/bank.yaml", "specs/applications/bot.yaml"
HERE, GOES = "specs/environments/here.yaml", "specs/releases/bot.yaml"
STEPS = (
    "strategy: {canary: {split_by: user, steps: [{analysis: {templates: [few], duration: 1h}},"
    " {setWeight: 100}], analysis: [{name: few, metric: otel/resolved, min: 0.7}]}}"
)


def found(files: Mapping[str, str]) -> list[Finding]:
    """What the rule finds in a tree whose policy asks for it."""
    asked = "rules:\n    - {name: asked, rule: residency}"
    ruled = {**files, POLICY: files[POLICY].replace("rules:", asked)}
    return World(ruled, ruled, lambda made: right(199, 200)).found("residency")


def stays(*places: str, sensitivity: str = "personal") -> dict[str, str]:
    """The bank whose rows must stay in some places."""
    words = f"residency: [{', '.join(places)}]\n  sensitivity: {sensitivity}\n  splits:"
    return changed(D, "splits:", words)


def served(*places: str) -> dict[str, str]:
    """A model behind an endpoint in some places."""
    text = spec(
        "Model", "cloud",
        "endpoint: {protocol: openai, base_url: {secret: URL}, model: m-2026-08-14,"
        f" residency: [{', '.join(places)}]}}\nlicense: MIT",
    )  # fmt: skip
    return {"specs/models/cloud.yaml": text}


def routed(*routes: str, more: str = "") -> dict[str, str]:
    """The application with routes before its default."""
    lines = "".join(f"  - {{{route}}}\n" for route in routes)
    body = f"model: Recipe/adapter\nprompt: ask\n{more}routes:\n{lines}"
    default = "  - {default: true, model: Recipe/adapter}"
    return {APP: spec("Application", "bot", body + default)}


CLOUD = "model: Model/cloud"


def environment(name: str, *places: str) -> dict[str, str]:
    """An Environment that stands somewhere."""
    text = spec("Environment", name, f"residency: [{', '.join(places)}]")
    return {f"specs/environments/{name}.yaml": text}


def test_a_tree_that_says_no_place_is_as_before() -> None:
    assert found(BANK) == []
    assert found(stays("CN")) == []


@pytest.mark.parametrize(
    ("machines", "rows", "holds"),
    [
        (("CN",), ("CN",), True),
        (("EU",), ("CN",), False),
        (("CN", "EU"), ("CN",), False),
        (("CN",), ("CN", "EU"), True),
        (("DE",), ("EU",), True),
        (("CH",), ("EU",), False),
    ],
)
def test_jobs_read_rows_where_rows_may_be(
    machines: tuple[str, ...], rows: tuple[str, ...], holds: bool
) -> None:
    told = found({**stays(*rows), **environment("here", *machines)})
    assert (told == []) is holds
    for one in told:
        assert one.outcome is Outcome.FAILED
        assert one.place == f"{HERE}:5:14"
        assert one.message == (
            f"jobs read Dataset/bank (personal, stays in {', '.join(rows)}) in Environment/here, "
            f"which stands in {', '.join(machines)}"
        )


def test_an_environment_that_names_no_place_counts_as_elsewhere() -> None:
    text = spec("Environment", "here", "executor: {local: {}}")
    (one,) = found({**stays("CN"), HERE: text})
    assert "which names no residency" in one.message


def test_only_the_environment_in_use_is_held_against_jobs() -> None:
    two = {**environment("local", "CN"), **environment("abroad", "US")}
    assert found({**stays("CN"), **two}) == []
    assert len(found({**stays("CN"), **environment("abroad", "US")})) == 1


def test_a_release_takes_what_was_made_from_rows_to_where_they_may_be() -> None:
    release = spec("Release", "bot", f"application: bot\nenvironments: [local, abroad]\n{STEPS}")
    two = {**environment("local", "CN"), **environment("abroad", "US"), GOES: release}
    (one,) = found({**stays("CN"), **two})
    assert one.message == (
        "Release/bot takes Application/bot, made from Dataset/bank (personal, stays in CN), to "
        "Environment/abroad, which stands in US"
    )
    assert one.place == f"{GOES}:6:25"
    assert found({**stays("CN", "US"), **two}) == []


def test_a_route_takes_personal_rows_to_no_endpoint_elsewhere() -> None:
    files = {**stays("CN"), **served("EU"), **routed(f"when: {{intent: hard}}, {CLOUD}")}
    (one,) = found(files)
    assert one.message == (
        "Application/bot routes what is like Dataset/bank (personal, stays in CN) to Model/cloud, "
        "served in EU"
    )
    assert one.place.startswith(f"{APP}:8:")
    assert found({**files, **served("CN")}) == []


def test_what_an_earlier_route_takes_does_not_come_to_a_later_one() -> None:
    local = "when: {sensitivity_at_least: personal}, model: Recipe/base"
    cloud = f"when: {{intent: hard}}, {CLOUD}"
    files = {**stays("CN"), **served("EU")}
    assert found({**files, **routed(local, cloud)}) == []
    assert len(found({**files, **routed(cloud, local)})) == 1
    narrow = "when: {sensitivity_at_least: personal, tokens_over: 9}, model: Recipe/base"
    assert len(found({**files, **routed(narrow, cloud)})) == 1  # short ones still come


def test_rows_below_a_route_s_sensitivity_do_not_take_it() -> None:
    cloud = f"when: {{sensitivity_at_least: personal}}, {CLOUD}"
    files = {**stays("CN", sensitivity="internal"), **served("EU"), **routed(cloud)}
    assert found(files) == []
    unknown = {**files, D: files[D].replace("  sensitivity: internal\n", "")}
    assert len(found(unknown)) == 1  # nobody says that it is harmless


def test_personal_requests_stay_where_the_application_is_offered() -> None:
    cloud = f"when: {{sensitivity_at_least: personal}}, {CLOUD}"
    files = {**BANK, **served("US"), **routed(cloud, more="jurisdictions: [CN, EU]\n")}
    (one,) = found(files)
    assert one.message == (
        "Application/bot routes personal data of CN, EU to Model/cloud, served in US"
    )
    assert found({**files, **served("FR")}) == []
    local = "when: {sensitivity_at_least: personal}, model: Recipe/base"
    safe = routed(local, f"when: {{intent: hard}}, {CLOUD}", more="jurisdictions: [CN, EU]\n")
    assert found({**files, **safe}) == []


def test_routes_do_not_make_an_evaluation_send_its_rows() -> None:
    local = "when: {sensitivity_at_least: personal}, model: Recipe/base"
    files = {**stays("CN"), **served("EU"), **routed(local, f"when: {{intent: hard}}, {CLOUD}")}
    assert [one.message for one in found(files)] == []


JUDGED = (
    "judge: {model: Model/cloud, repeats: 1}\nchecks:\n"
    "  - {name: good, metric: deepeval/answer_relevancy, pass_at: 0.5, require: {min: 0.5}}"
)


def judged_by(address: str, residency: str = "") -> dict[str, str]:
    """A second Evaluation with a judge behind an address."""
    model = spec(
        "Model", "cloud",
        f"endpoint: {{protocol: openai, base_url: {address}, model: m-2026-08-14{residency}}}\n"
        "license: MIT",
    )  # fmt: skip
    text = spec("Evaluation", "judged", f"target: Application/bot\ndataset: bank#test\n{JUDGED}")
    return {"specs/models/cloud.yaml": model, "specs/evaluations/judged.yaml": text}


def test_a_judge_elsewhere_is_told_at_the_judge() -> None:
    (one,) = found({**stays("CN"), **judged_by("{secret: URL}", ", residency: [EU]")})
    assert one.message == (
        "Evaluation/judged sends Dataset/bank (personal, stays in CN) to Model/cloud, served in EU"
    )
    assert one.place == "specs/evaluations/judged.yaml:7:18"


@pytest.mark.parametrize(
    "address", ["'http://127.0.0.1:8000/v1'", "'http://localhost/v1'", "'http://[::1]:8000'"]
)
def test_a_judge_on_the_machine_itself_is_where_the_machine_is(address: str) -> None:
    assert found({**stays("CN"), **judged_by(address)}) == []
    here = environment("here", "EU")
    assert len(found({**stays("CN"), **judged_by(address), **here})) == 1  # the machine is not


# ---- judges ----------------------------------------------------------------------------------


def judging(address: str, *places: str, secret: bool = False) -> dict[str, str]:
    """The Evaluation's metric asks a judge at an address."""
    where = f" residency: [{', '.join(places)}]," if places else ""
    url = f"{{secret: {address}}}" if secret else f"'{address}'"
    model = spec(
        "Model", "judge",
        f"endpoint: {{protocol: openai, base_url: {url},{where} model: m-2026-08-14}}",
    )  # fmt: skip
    body = "target: Application/bot\ndataset: bank#test\njudge: {model: judge}\nchecks:\n"
    check = "  - {name: kind, metric: deepeval/bias, require: {min: 0.5}}"
    return {
        "specs/models/judge.yaml": model,
        "specs/evaluations/kind.yaml": spec("Evaluation", "kind", body + check),
    }


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000/v1", "http://localhost:1", "http://[::1]:1/v1", "http://10.0.0.7/v1",
     "http://192.168.1.2:8000/v1", "http://judge.localhost/v1"],
)  # fmt: skip
def test_a_judge_here_or_beside_takes_rows_nowhere(address: str) -> None:
    assert found({**stays("CN"), **judging(address)}) == []


@pytest.mark.parametrize(
    "address",
    ["https://judge.example.org/v1", "https://8.8.8.8/v1", "http://169.254.169.254/v1",
     "http://0.0.0.0/v1", "https://127.0.0.1.evil.test/v1", "http://corp/v1"],
)  # fmt: skip
def test_a_judge_elsewhere_names_its_place(address: str) -> None:
    (one,) = found({**stays("CN"), **judging(address)})
    assert "Evaluation/kind sends Dataset/bank" in one.message
    assert "served in an unnamed place" in one.message
    assert found({**stays("CN"), **judging(address, "CN")}) == []
    assert len(found({**stays("CN"), **judging(address, "US")})) == 1


def test_an_address_that_is_a_secret_may_be_anywhere() -> None:
    assert len(found({**stays("CN"), **judging("JUDGE_URL", secret=True)})) == 1


def test_a_judge_elsewhere_is_on_the_egress_list_or_fails() -> None:
    lists = spec("Environment", "here", "egress: [data.example.org, '*.judges.example']")
    files = {**BANK, HERE: lists}
    assert found({**files, **judging("https://a.judges.example/v1")}) == []
    assert found({**files, **judging("http://127.0.0.1:8000/v1")}) == []
    (one,) = found({**files, **judging("https://api.example.com/v1")})
    assert one.outcome is Outcome.FAILED
    assert one.message == (
        "Evaluation/kind asks Model/judge at api.example.com, "
        "not on the egress list of Environment/here"
    )
    assert one.place.startswith("specs/evaluations/kind.yaml:7")
