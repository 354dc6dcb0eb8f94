"""What a training was made of, as SLSA has it; other people's reader takes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from llmops.digest import canonical, of_bytes
from llmops.evidence.making import make
from llmops.evidence.provenance import BUILD_TYPE, BUILDER, provenance
from llmops.jobs.base import Artifact, Input, Job, Result
from llmops.specs.base import Ref

CLOSURE = of_bytes(b"training")
DATA, BASE = of_bytes(b"rows"), of_bytes(b"weights")
JOB = Job(
    "train", Ref("Recipe", "support-lora"), CLOSURE, {"method": "sft", "training": {"epochs": 3}},
    inputs=(
        Input("data/0", job=of_bytes(b"curate"), artifact="parts/train.jsonl"),
        Input("model", digest=BASE, uri="hf://acme/tiny@0123"),
        Input("tokenizer", digest=of_bytes(b"t"), file="data/tokenizer.jsonl"),
    ),
    seed=7, tools={"torch": "2.9.0", "peft": "0.18"},
)  # fmt: skip
RESULT = Result(
    CLOSURE, "train", "ok", "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z",
    artifacts=(
        Artifact("adapter", of_bytes(b"a"), 5), Artifact("adapter/x.json", of_bytes(b"x"), 1),
    ),
    environment={"python": "3.11"},
)  # fmt: skip
GIVEN = {"data/0": DATA, "model": BASE, "tokenizer": of_bytes(b"t")}


def test_it_names_what_was_made_of_what_and_how() -> None:
    made = provenance(JOB, RESULT, GIVEN, of_bytes(b"start"))
    assert made is not None
    names = [one["name"] for one in made["subject"]]
    assert names == ["artifacts/adapter", "artifacts/adapter/x.json"]
    definition = made["predicate"]["buildDefinition"]
    assert definition["buildType"] == BUILD_TYPE
    assert definition["externalParameters"] == {
        "recipe": "Recipe/support-lora", "spec": JOB.spec, "seed": 7,
    }  # fmt: skip
    found = {one["name"]: one for one in definition["resolvedDependencies"]}
    assert found["data/0"]["digest"] == {"sha256": DATA[7:]}
    assert found["data/0"]["annotations"]["artifact"] == "parts/train.jsonl"
    assert found["model"]["uri"] == "hf://acme/tiny@0123"
    assert found["tokenizer"]["annotations"] == {"file": "data/tokenizer.jsonl"}
    assert found["torch"]["uri"] == "pkg:pypi/torch@2.9.0"
    assert made["predicate"]["runDetails"]["metadata"]["invocationId"] == of_bytes(b"start")


def test_the_reader_of_in_toto_takes_it_as_a_statement_with_slsa_provenance() -> None:
    made = provenance(JOB, RESULT, GIVEN)
    assert made is not None
    read = ParseDict(made, statement_pb2.Statement())
    Statement.copy_from_pb(read).validate()
    said = ParseDict(made["predicate"], provenance_pb2.Provenance())
    assert said.build_definition.build_type == BUILD_TYPE
    assert said.run_details.builder.id == BUILDER
    assert said.run_details.metadata.started_on.ToJsonString() == RESULT.started_at
    for one in said.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(one).validate()
    assert len(said.build_definition.resolved_dependencies) == 5


def test_only_a_training_that_made_something_has_one() -> None:
    assert provenance(replace(JOB, type="evaluate"), RESULT, GIVEN) is None
    assert provenance(JOB, replace(RESULT, artifacts=()), GIVEN) is None


def test_who_plans_the_same_makes_the_same_whatever_was_said_on_the_command_line() -> None:
    told = {**JOB.spec, "estimate": {"memory_mb": 5}, "over_budget": True}
    first = provenance(JOB, RESULT, GIVEN)
    assert provenance(replace(JOB, spec=told), RESULT, GIVEN) == first


def test_the_run_names_it_by_its_digest(tmp_path: Path) -> None:
    made = make(JOB, RESULT, GIVEN, tmp_path)
    said = json.loads(made.statement)["predicate"]
    assert said["provenance"] == of_bytes(made.provenance)
    assert made.provenance == canonical(provenance(JOB, RESULT, GIVEN))
