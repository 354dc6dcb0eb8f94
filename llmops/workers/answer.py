"""A target as a job names it, loaded once and asked: cases -> rendered prompts -> responses.

In: the `base`, `prompt`, `output` and `generation` blocks of a job with their inputs. Out: a
`Response` for every case, in the order asked. Prompts are rendered in a sandbox, batched by
length, left-padded, and continued in a KV cache: greedy at temperature 0, else sampled with a seed
per case, so that a response does not depend on which cases share its batch. A `choice` output may
only write one of its labels. What is wrong with one row (a missing input, a prompt too long) is
that row's `error`; the others go on. Whoever asks a target (generate, scan) asks it through here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from llmops.diagnostics import printable
from llmops.workers import models
from llmops.workers.chat import Row, RowError, Template
from llmops.workers.choice import Choices, choose
from llmops.workers.contract import RunFolder, WorkerError
from llmops.workers.decode import Decoder, by_length
from llmops.workers.guards import Guards, Screened, Told
from llmops.workers.prompts import Prompt

DEFAULT_BATCH_SIZE = 64
DEFAULT_MAX_TOKENS = 64
Hear = Callable[[int, int, float], None]  # done, of how many, seconds so far


@dataclass(frozen=True, slots=True)
class Response:
    """One line of `responses.jsonl`. `error` is None, or why there is no response."""

    id: str
    case: str
    prompt: str = ""
    response: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    latency_ms: float = 0.0
    error: str | None = None
    blocked: bool | None = None  # None, as `guard`, when the target has no guardrails
    guard: tuple[Told, ...] | None = None

    def line(self) -> dict[str, Any]:
        """The response as it is kept; without guardrails nothing is said of them."""
        kept = asdict(self)
        return {k: v for k, v in kept.items() if v is not None or k not in ("blocked", "guard")}


@dataclass(frozen=True, slots=True)
class Settings:
    """How to write: the `generation` block of the job with its defaults."""

    temperature: float
    top_p: float
    max_tokens: int
    batch_size: int
    seed: int

    @classmethod
    def of(cls, run: RunFolder) -> Settings:
        """From a job; batch_size changes no response, only memory and time."""
        given = run.spec.get("generation") or {}
        return cls(
            temperature=float(given.get("temperature") or 0.0),
            top_p=float(given.get("top_p") or 1.0),
            max_tokens=int(given.get("max_tokens") or DEFAULT_MAX_TOKENS),
            batch_size=int(given.get("batch_size") or DEFAULT_BATCH_SIZE),
            seed=run.seed,
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What answers. `choices` are the labels it may write; None for free text."""

    base: models.Base
    template: Template
    prompt: Prompt | None
    choices: Choices | None
    form: str  # format of the rows it is asked
    settings: Settings
    guards: Guards = field(default_factory=Guards)

    @classmethod
    def load(cls, run: RunFolder) -> Target:
        """The target of a job. Raises WorkerError when a part of it cannot be loaded."""
        base = models.materialise(run.spec["base"], run.inputs)
        base.model.eval().to(models.device())
        template, given = Template.of(base.tokenizer), run.spec.get("prompt")
        return cls(
            base=base,
            template=template,
            prompt=Prompt.compile(given, run.inputs) if given else None,
            choices=_choices(run, template),
            form=run.spec["format"],
            settings=Settings.of(run),
            guards=Guards.of(run),
        )

    def drafts(self, cases: Sequence[Row]) -> list[Response]:
        """Each case with its rendered prompt, or with the error that rendering met."""
        return [self._draft(case) for case in cases]

    def _draft(self, case: Row) -> Response:
        draft = Response(str(case["id"]), case["case"])
        if self.guards:
            inputs = None if self.prompt is None else tuple(self.prompt.inputs)
            case, met = self.guards.question(case, self.form, inputs)
            draft = _met(draft, met)
            if draft.blocked:
                return draft
        try:
            text = (
                self.template.render(self.prompt.messages(case, self.form), open_turn=True)
                if self.prompt
                else self.template.opening(case, self.form)
            )
        except RowError as error:
            return replace(draft, error=str(error))
        return replace(draft, prompt=text)

    @torch.inference_mode()
    def answer(self, cases: Sequence[Row], told: Hear = lambda *_: None) -> list[Response]:
        """A response to every case, in their order; `told` hears of progress once a second."""
        answered = self.tokenized(self.drafts(cases))
        open_rows = [
            i for i, (draft, _) in enumerate(answered) if draft.error is None and not draft.blocked
        ]
        done, out = 0, [draft for draft, _ in answered]
        started = heard = time.monotonic()
        for batch in by_length([len(answered[i][1]) for i in open_rows], self.settings.batch_size):
            rows = [open_rows[i] for i in batch]
            batch_started = time.monotonic()
            writer = _Writer(self.base, [answered[i] for i in rows], self.settings)
            written = writer.choose(self.choices) if self.choices else writer.write()
            took = round((time.monotonic() - batch_started) * 1000, 3)
            for i, response in zip(rows, written, strict=True):
                out[i] = self._filtered(replace(response, latency_ms=took))
            done += len(rows)
            if (now := time.monotonic()) - heard >= 1.0 or done == len(open_rows):
                heard = now
                told(done, len(open_rows), now - started)
        return out

    def _filtered(self, response: Response) -> Response:
        """A response as its reader gets it: guardrails look at what the model wrote."""
        if not self.guards or response.error is not None:
            return response
        text, met = self.guards.answer(response.response)
        return replace(_met(response, met), response=text)

    def tokenized(self, drafts: Sequence[Response]) -> list[tuple[Response, list[int]]]:
        """Drafts with their prompts' token ids; a prompt that leaves no room becomes an error."""
        room = getattr(self.base.model.config, "max_position_embeddings", None)
        texts = [draft.prompt for draft in drafts]
        ids = self.base.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
        most = self.settings.max_tokens
        return [(_fitting(d, len(i), most, room), i) for d, i in zip(drafts, ids, strict=True)]


def _choices(run: RunFolder, template: Template) -> Choices | None:
    """The labels to choose from, as tokens of the target's tokenizer; None for free text."""
    output = run.spec.get("output") or {"format": "text"}
    if output["format"] == "text":
        return None
    if output["format"] != "choice":
        raise WorkerError(f'no output format "{output["format"]}"', hint="known: text, choice")
    column = output["labels_column"]
    names = sorted(name for name in run.inputs if name.startswith("labels/"))
    found = {row.get(column) for name in names for row in models.read_rows(run.inputs[name])}
    labels = sorted(label for label in found if isinstance(label, str) and label)
    if len(labels) == 1:
        raise WorkerError(
            f'all rows have the one label "{printable(labels[0], 60)}": '
            "whoever has no choice is always right",
            hint=f'the labels are the values of column "{column}"; a choice needs two or more',
        )
    form = "completion" if run.spec["format"] == "completion" and not run.spec.get("prompt") else ""
    texts = [template.answer(label, form) for label in labels]
    ids = template.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    return Choices.of(dict(zip(labels, ids, strict=True))).to(models.device())


def _met(response: Response, met: Screened) -> Response:
    """The response with what guardrails found; blocked, it says their message."""
    said = (*(response.guard or ()), *met.told)
    if met.message is None:
        return replace(response, blocked=False, guard=said)
    return replace(response, blocked=True, guard=said, response=met.message)


def _fitting(draft: Response, tokens: int, max_tokens: int, room: int | None) -> Response:
    draft = replace(draft, input_tokens=tokens)
    if draft.error is not None or draft.blocked:
        return draft
    if tokens == 0:
        return replace(draft, error="the prompt is empty")
    if room is not None and tokens + max_tokens > room:
        wrong = f"the prompt's {tokens} tokens and max_tokens {max_tokens} exceed {room} positions"
        return replace(draft, error=wrong)
    return draft


class _Writer:
    """One batch: its prompts in the KV cache, and two ways of answering them."""

    def __init__(
        self,
        base: models.Base,
        batch: Sequence[tuple[Response, list[int]]],
        settings: Settings,
    ) -> None:
        self._tokenizer, self._settings = base.tokenizer, settings
        self._drafts = [draft for draft, _ in batch]
        pad = base.tokenizer.pad_token_id
        self._decoder = Decoder(base.model, [ids for _, ids in batch], pad)
        self._ends = _end_tokens(base)

    def choose(self, choices: Choices) -> list[Response]:
        """One of the labels each."""
        chosen = choose(self._decoder, choices, len(self._drafts))
        return [
            replace(draft, error=_NOT_NUMBERS)
            if label is None
            else replace(draft, response=label, output_tokens=choices.lengths[label])
            for draft, label in zip(self._drafts, chosen, strict=True)
        ]

    def write(self) -> list[Response]:
        """Free text each, until the end of the turn or max_tokens."""
        dice = [_dice(self._settings.seed, draft.case) for draft in self._drafts]
        written: list[list[int]] = [[] for _ in self._drafts]
        broken: set[int] = set()
        active = list(range(len(self._drafts)))
        for _ in range(self._settings.max_tokens):
            numbers = torch.isfinite(self._decoder.logits).all(1).tolist()
            broken |= {row for row, fine in zip(active, numbers, strict=True) if not fine}
            tokens = self._next(active, dice)
            for row, token in zip(active, tokens, strict=True):
                written[row].append(token)
            going = [
                place
                for place, row in enumerate(active)
                if tokens[place] not in self._ends and row not in broken
            ]
            if not going:
                break
            if len(going) < len(active):
                self._decoder.keep(torch.tensor(going, device=self._decoder.logits.device))
            fed = torch.tensor([tokens[p] for p in going], device=self._decoder.logits.device)
            active = [active[place] for place in going]
            self._decoder.feed(fed)
        return [self._response(row, ids, row in broken) for row, ids in enumerate(written)]

    def _response(self, row: int, ids: Sequence[int], broken: bool) -> Response:
        if broken:
            return replace(self._drafts[row], error=_NOT_NUMBERS)
        shown = [token for token in ids if token not in self._ends]
        text = self._tokenizer.decode(shown, skip_special_tokens=True)
        return replace(self._drafts[row], response=text, output_tokens=len(ids))

    def _next(self, active: Sequence[int], dice: Sequence[torch.Generator]) -> list[int]:
        logits, settings = self._decoder.logits, self._settings
        if settings.temperature == 0:
            return logits.argmax(1).tolist()
        kept = _nucleus(
            torch.softmax(logits.nan_to_num() / settings.temperature, 1), settings.top_p
        )
        return [
            int(torch.multinomial(kept[place].cpu(), 1, generator=dice[row]))
            for place, row in enumerate(active)
        ]


_NOT_NUMBERS = "the model's scores are not finite numbers"


def _nucleus(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The most probable tokens that together reach `top_p`; the others get probability 0."""
    if top_p >= 1:
        return probabilities
    ordered, places = probabilities.sort(1, descending=True)
    before = ordered.cumsum(1) - ordered
    return torch.zeros_like(probabilities).scatter(1, places, ordered * (before < top_p))


def _dice(seed: int, case: str) -> torch.Generator:
    """Random numbers of one case: the same whoever shares its batch."""
    digest = hashlib.sha256(f"{seed}\n{case}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _end_tokens(base: models.Base) -> set[int]:
    known = getattr(base.model.generation_config, "eos_token_id", None)
    ends = {base.tokenizer.eos_token_id, *(known if isinstance(known, list) else [known])}
    return {end for end in ends if end is not None}
