"""Drawings as values: lines, boxes and words at places, which a template writes as inline SVG.

Every number is fixed to one decimal here, so a drawing is the same text on every machine; every
word goes through the template's escaping like any other. No drawing is alone: a table below it
says the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from llmops.reports.layout import clip
from llmops.reports.words import number

WIDTH = 720
_ROW = 26
_LEFT, _RIGHT = 250, 90
_MOST_ROWS = 60
_LABEL = 34  # columns of a terminal, which is about what fits


@dataclass(frozen=True, slots=True)
class Shape:
    """One mark: `at` are its numbers (x1 y1 x2 y2 of a line, x y w h of a box, x y of words)."""

    kind: Literal["line", "box", "dot", "path", "words"]
    at: tuple[str, ...]
    look: str  # class of the stylesheet
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a ground of `width` by `height`; `title` says what it shows."""

    title: str
    width: int
    height: int
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a forest plot: a value with its interval, and the lines it is held against."""

    label: str
    look: str
    value: float
    low: float
    high: float
    bounds: tuple[float, ...] = ()
    shown: str = ""  # the value in words, where three places are not what it needs
    beside: tuple[tuple[str, str], ...] = ()  # more columns: (look, words)


@dataclass(frozen=True, slots=True)
class Group:
    """Bars on one scale, under a name."""

    name: str
    bars: tuple[Bar, ...]
    low: float
    high: float


def _at(*numbers: float) -> tuple[str, ...]:
    return tuple(f"{0.0 if abs(n) < 0.05 else n:.1f}" for n in numbers)


def line(look: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    """A straight line."""
    return Shape("line", _at(x1, y1, x2, y2), look)


def box(look: str, x: float, y: float, width: float, height: float) -> Shape:
    """A filled box."""
    return Shape("box", _at(x, y, width, height), look)


def said(look: str, x: float, y: float, text: str) -> Shape:
    """Words that begin, end or are centred at a place, as the look says."""
    return Shape("words", _at(x, y), look, text)


def forest(title: str, bars: Sequence[Bar], low: float, high: float) -> Drawing:
    """Values with intervals on one scale from `low` to `high`, each with its bounds."""
    shown = bars[:_MOST_ROWS]
    height = _ROW * len(shown) + 44
    right = WIDTH - _RIGHT
    scale = _Scale(low, high, _LEFT, right)
    shapes = [*_grid(scale, height - 24)]
    for i, bar in enumerate(shown):
        shapes += _bar(bar, scale, 20 + _ROW * i)
    return Drawing(title, WIDTH, height, tuple(shapes))


_PLOT = (232.0, 452.0)  # where the plot of grouped bars begins and ends
_COLUMNS = (464.0, 536.0, 650.0)  # where its value and the columns beside it begin


def grouped(title: str, groups: Sequence[Group], heads: Sequence[str]) -> Drawing:
    """Groups of bars below each other, each on its own scale; `heads` name the columns beside."""
    shapes: list[Shape] = [
        said("tick", x, 12, name) for x, name in zip(_COLUMNS, heads, strict=False)
    ]
    top = 24.0
    for group in groups:
        shapes.append(said("group", 4, top + 12, group.name))
        scale = _Scale(group.low, group.high, *_PLOT)
        bottom = top + 24 + _ROW * len(group.bars)
        shapes += _grid(scale, bottom, top + 20, most=5)
        for i, bar in enumerate(group.bars):
            shapes += _bar(bar, scale, top + 36 + _ROW * i)
        top = bottom + 30
    return Drawing(title, WIDTH, math.ceil(top), tuple(shapes))


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    left: float
    right: float

    def __call__(self, value: float) -> float:
        """Where a value stands; beyond the ends, at the end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def ticks(self, most: int = 6) -> Iterator[float]:
        """Round numbers from end to end."""
        step = _step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        for i in range(first, math.floor(self.high / step + 1e-9) + 1):
            yield i * step


def _step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if not rough > 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))


def _tick(value: float, step: float) -> str:
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    shown = f"{value:,.{places}f}"
    return shown if float(shown.replace(",", "")) != 0 else shown.lstrip("-")


def _grid(scale: _Scale, bottom: float, top: float = 6, most: int = 6) -> Iterator[Shape]:
    marks = list(scale.ticks(most))
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    for value in marks:
        x = scale(value)
        yield line("zero" if abs(value) < step / 1e6 else "grid", x, top, x, bottom)
        yield said("tick mid", x, bottom + 16, _tick(value, step))


def _bar(bar: Bar, scale: _Scale, y: float) -> Iterator[Shape]:
    yield said("label end", scale.left - 12, y + 4, clip(bar.label, _LABEL))
    for bound in bar.bounds:
        yield line("bound", scale(bound), y - 10, scale(bound), y + 10)
    yield line(f"whisker {bar.look}", scale(bar.low), y, scale(bar.high), y)
    for end in (bar.low, bar.high):
        yield line(f"whisker {bar.look}", scale(end), y - 4, scale(end), y + 4)
    yield Shape("dot", _at(scale(bar.value), y), f"dot {bar.look}")
    yield said("value", scale.right + 10, y + 4, bar.shown or number(bar.value))
    for x, (look, word) in zip(_COLUMNS[1:], bar.beside, strict=False):
        yield said(f"outcome {look}", x, y + 4, word)


def curve(title: str, points: Sequence[tuple[float, float]], x_name: str, y_name: str) -> Drawing:
    """One line over steps."""
    height, bottom, left, right = 260, 216, 64.0, WIDTH - 20.0
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    across = _Scale(min(xs), max(xs), left, right)
    up = _Scale(min(0.0, *ys), max(ys) * 1.05 or 1.0, bottom, 14.0)
    shapes: list[Shape] = []
    marks = list(up.ticks(5))
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    for value in marks:
        shapes.append(line("grid", left, up(value), right, up(value)))
        shapes.append(said("tick end", left - 8, up(value) + 4, _tick(value, step)))
    marks = [m for m in across.ticks(8) if m == int(m)]
    shapes += [said("tick mid", across(m), bottom + 18, _tick(m, 1)) for m in marks]
    shapes.append(line("axis", left, bottom, right, bottom))
    track = _at(*(place for x, y in points for place in (across(x), up(y))))
    shapes.append(Shape("path", track, "track"))
    shapes += [Shape("dot", _at(across(x), up(y)), "dot track") for x, y in (points[0], points[-1])]
    shapes.append(said("name end", right, bottom + 36, x_name))
    shapes.append(said("name", 4, 10, y_name))
    return Drawing(title, WIDTH, height, tuple(shapes))


def bars(title: str, rows: Sequence[tuple[str, int]]) -> Drawing:
    """Counts as bars from one left edge, each with its number."""
    shown = rows[:_MOST_ROWS]
    most = max((count for _, count in shown), default=0) or 1
    shapes: list[Shape] = []
    for i, (label, count) in enumerate(shown):
        y = 8 + _ROW * i
        width = (WIDTH - _LEFT - _RIGHT) * count / most
        shapes.append(said("label end", _LEFT - 12, y + 14, clip(label, _LABEL)))
        shapes.append(box("bar", _LEFT, y, width, 18))
        shapes.append(said("value", _LEFT + width + 8, y + 14, f"{count:,}"))
    return Drawing(title, WIDTH, _ROW * len(shown) + 12, tuple(shapes))


def matrix(
    title: str, labels: Sequence[str], counts: Sequence[Sequence[int]], x_name: str, y_name: str
) -> Drawing:
    """Counts as squares, darker where more of a row's cases are; numbers where there is room."""
    left, top = 190, 34
    n = len(labels)
    side = min(46.0, (WIDTH - left - 20) / n)
    words = side >= 11
    shapes: list[Shape] = [
        said("name", left, 14, f"{x_name} →"), said("name", 4, 14, f"{y_name} ↓"),
    ]  # fmt: skip
    for i, row in enumerate(counts):
        y = top + side * i
        if words:
            shapes.append(said("label end", left - 8, y + side / 2 + 4, clip(labels[i], 26)))
        for j, count in enumerate(row):
            shapes += _square(left + side * j, y, side, count, sum(row), i == j)
    shapes += [
        said("tick mid", left + side * (j + 0.5), top + side * n + 14, str(j + 1))
        for j in range(n)
        if words
    ]
    shapes.append(line("axis", left, top, left + side * n, top))
    shapes.append(line("axis", left, top, left, top + side * n))
    return Drawing(title, WIDTH, math.ceil(top + side * n + 22), tuple(shapes))


def _square(
    x: float, y: float, side: float, count: int, total: int, right: bool
) -> Iterator[Shape]:
    if not count:
        return
    shade = min(4, 1 + int(4 * count / total)) if total else 1
    yield box(f"{'hit' if right else 'miss'}{shade}", x, y, side, side)
    if side >= 20:
        look = "inside light" if shade > 2 else "inside"
        yield said(f"{look} mid", x + side / 2, y + side / 2 + 4, f"{count}")
