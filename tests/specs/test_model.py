"""Kind Model: what of it reaches jobs, and what only describes it."""

from __future__ import annotations

from llmops.specs.base import Ref
from tests.specs.examples import HEX, spec


def test_a_model_from_scratch_reaches_training_and_generation() -> None:
    found = spec("tiny").projections
    assert found["train"] == found["generate"]
    assert found["train"] == {
        "init": {
            "architecture": {
                "model_type": "llama",
                "hidden_size": 128,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
            },
            "tokenizer": {
                "train": {
                    "algorithm": "byte_level_bpe",
                    "vocab_size": 2048,
                    "data": "support#train",
                }
            },
            "seed": 0,
        }
    }
    assert set(found["static"]) == {"architecture", "license", "provider", "filings"}


def test_the_tokenizer_s_data_is_a_reference_to_a_part() -> None:
    (use,) = spec("tiny").references
    assert use.loc == ("spec", "init", "tokenizer", "train", "data")
    assert (use.target, use.part) == (Ref("Dataset", "support"), "train")


def test_weights_mean_their_digest_and_not_where_they_are() -> None:
    found = spec("qwen2.5-7b-instruct").projections
    assert found["train"] == found["generate"] == {"weights": {"digest": f"sha256:{HEX}"}}
    assert set(found["placement"]["weights"]) == {"uri", "revision"}


def test_an_endpoint_judges_by_its_address_and_model() -> None:
    found = spec("judge-large").projections
    assert set(found) == {"static", "placement", "evaluate"}
    assert set(found["evaluate"]["endpoint"]) == {"base_url", "model", "response_format"}
    assert found["static"]["endpoint"]["residency"] == ["EU"]


def test_an_endpoint_s_address_may_be_text() -> None:
    from tests.specs.examples import ENDPOINT

    text = ENDPOINT.replace("{secret: JUDGE_BASE_URL}", "https://api.example.org/v1")
    assert spec("judge-large", text).spec["endpoint"]["base_url"] == "https://api.example.org/v1"
