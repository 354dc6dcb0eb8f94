"""The nouns of the engine: what is looked for (`GuardConfig`) and what was found (`Decision`).

Both go to JSON and back without loss. In a job the words of a lexicon stand in a file of their
own: `from_json` takes them by the name that stands in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["block", "mask"]
ACTIONS = ("block", "mask")
ENTITIES = ("BANK_CARD", "CN_ID_CARD", "CN_MOBILE", "EMAIL_ADDRESS")
STEPS = ("casefold", "nfkc", "strip_separators")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a lexicon; hits name its `id`, never the word."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words, and how they and the texts are read before comparing (some of STEPS)."""

    words: tuple[Word, ...]
    normalize: tuple[str, ...] = STEPS
    min_length: int = 1


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that is looked for. Exactly one of `lexicon`, `pattern` and `entities` is set."""

    name: str
    action: Action
    lexicon: Lexicon | None = None
    pattern: str | None = None
    entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """The layers of one stage. All look at the original text, so their order means nothing."""

    layers: tuple[Layer, ...]
    on_error: Literal["block"] = "block"

    @classmethod
    def from_json(
        cls, value: Mapping[str, Any], words: Mapping[str, Sequence[Word]] | None = None
    ) -> GuardConfig:
        """What `to_json` gave, or a job's payload with `words` by the names that stand in it.

        Raises ValueError for a value that is no configuration.
        """
        if value.get("on_error", "block") != "block":
            raise ValueError(f"on_error is {value['on_error']!r}; it can only be block")
        layers = value.get("layers")
        if not isinstance(layers, list | tuple):
            raise ValueError("a configuration has a list of layers")
        return cls(tuple(_layer(layer, words or {}) for layer in layers))

    def to_json(self) -> dict[str, Any]:
        """Plain values, the words included."""
        return {"on_error": self.on_error, "layers": [_plain(layer) for layer in self.layers]}


@dataclass(frozen=True, slots=True)
class Hit:
    """One find: `rule` is a word's id, `regex`, a kind of personal data, or why a layer failed.

    `start` and `end` are characters of the original text, whatever it was read as.
    """

    layer: str
    rule: str
    start: int
    end: int
    action: Action


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a text: `text` is what may go on ("" when blocked); hits by their place."""

    action: Literal["allow", "mask", "block"]
    text: str
    hits: tuple[Hit, ...] = ()


def _plain(layer: Layer) -> dict[str, Any]:
    found: dict[str, Any] = {"name": layer.name, "action": layer.action}
    if layer.lexicon is not None:
        found["lexicon"] = {
            "normalize": list(layer.lexicon.normalize),
            "min_length": layer.lexicon.min_length,
            "words": [{"id": w.id, "word": w.text} for w in layer.lexicon.words],
        }
    elif layer.pattern is not None:
        found["regex"] = {"pattern": layer.pattern}
    else:
        found["pii"] = {"entities": list(layer.entities)}
    return found


def _layer(value: Any, words: Mapping[str, Sequence[Word]]) -> Layer:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise ValueError("a layer has a name")
    name, action = value["name"], value.get("action")
    if action not in ACTIONS:
        raise ValueError(f'layer "{name}": action {action!r} is neither block nor mask')
    try:
        if "lexicon" in value:
            return Layer(name, action, lexicon=_lexicon(value["lexicon"], words))
        if "regex" in value:
            return Layer(name, action, pattern=str(value["regex"]["pattern"]))
        return Layer(name, action, entities=tuple(value["pii"]["entities"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f'layer "{name}": {error} is missing or of another kind') from error


def _lexicon(value: Mapping[str, Any], words: Mapping[str, Sequence[Word]]) -> Lexicon:
    given = value["words"]
    found = (
        words[given]
        if isinstance(given, str)
        else [Word(str(w["id"]), str(w["word"])) for w in given]
    )
    steps = tuple(value.get("normalize", STEPS))
    return Lexicon(tuple(found), steps, int(value.get("min_length", 1)))
