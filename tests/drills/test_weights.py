"""Plants in weights exchange what the Application asks for a folder by digest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from llmops.drills import twins, weights
from llmops.drills.base import UnfitError
from llmops.specs.base import Ref
from tests.drills.conftest import files

APP, PROMPT = "specs/applications/faq.yaml", "specs/prompts/faq.yaml"


def asked(model: str) -> dict[str, str]:
    return {APP: files(model)[APP]}


@pytest.mark.parametrize(
    ("plant", "how"),
    [
        (weights.rounded, "two-bits"), (weights.wrong_sign, "wrong-sign"),
        (weights.wrong_base, "wrong-base"), (weights.merged, "as-they-are"),
        (weights.eight_bits, "eight-bits"),
    ],
)  # fmt: skip
def test_the_application_asks_the_spoiled_folder(plant, how, scene) -> None:
    wanted = []

    def spoil(said: str) -> str:
        wanted.append(said)
        return f"sha256:{7:064}"

    found = replace(scene(asked("Recipe/faq-lora")), spoil=spoil)
    planted = plant(found, 0)
    assert wanted == [how]
    model = json.loads(planted["specs/drill/drill-weights.yaml"])["spec"]
    assert model["weights"]["digest"] == f"sha256:{7:064}"
    assert model["license"] == "Apache-2.0"
    new = set(planted[APP].decode().splitlines()) - set(found.read(APP).decode().splitlines())
    assert new == {"  model: Model/drill-weights"}


def test_the_default_route_moves_with_the_model(scene) -> None:
    routes = "  routes:\n    - {default: true, model: Recipe/faq-base}\n"
    planted = weights.merged(scene({APP: files()[APP] + routes}), 0)[APP].decode()
    assert planted.count("Model/drill-weights") == 2


def test_a_recipe_without_adapter_has_none_to_merge_wrongly(scene) -> None:
    found = scene()
    for plant in (weights.wrong_sign, weights.wrong_base):
        with pytest.raises(UnfitError, match="Recipe/faq-base trains all weights"):
            plant(found, 0)


def test_an_adapter_on_a_model_has_no_other_base(scene) -> None:
    text = files()["specs/recipes/faq-lora.yaml"].replace("Recipe/faq-base", "tiny")
    found = scene({**asked("Recipe/faq-lora"), "specs/recipes/faq-lora.yaml": text})
    with pytest.raises(UnfitError, match="starts from a Model"):
        weights.wrong_base(found, 0)


def test_a_recipe_that_is_asked_itself_keeps_its_weights(scene) -> None:
    found = replace(scene(), target=Ref("Recipe", "faq-base"))
    with pytest.raises(UnfitError, match="no Application names its weights"):
        weights.rounded(found, 0)


def test_a_model_that_nothing_trains_gets_no_planted_training(scene) -> None:
    found = scene(asked("Model/tiny"))
    with pytest.raises(UnfitError, match="asks Model/tiny, which nothing here trains"):
        _ = found.recipe


def test_a_reformatted_tree_differs_in_comments_and_owner_only(scene) -> None:
    found = scene()
    planted = twins.reformatted(found, 0)
    for path, text in planted.items():
        before = found.read(path).decode().splitlines()
        new = [line for line in text.decode().splitlines() if line not in before]
        assert all(line.startswith("#") or "owner" in line for line in new)


def test_a_trimmed_prompt_trims_every_plain_input(scene) -> None:
    planted = twins.trimmed(scene(), 0)
    assert "{{ question | trim }}" in planted[PROMPT].decode()


def test_a_prompt_without_a_plain_input_does_not_fit(scene) -> None:
    text = files()[PROMPT].replace("{{ question }}", "{{ question | lower }}")
    with pytest.raises(UnfitError, match="has no plain"):
        twins.trimmed(scene({PROMPT: text}), 0)
