"""A mapping that looks each key up when asked for it: of a thousand closures few are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")


class Lazy(Mapping[str, V], Generic[V]):
    """A mapping that looks each key up when asked for it and remembers the answer."""

    def __init__(self, keys: Callable[[], list[str]], look: Callable[[str], V | None]) -> None:
        self._keys, self._look = keys, look
        self._known: dict[str, V | None] = {}

    def _get(self, key: str) -> V | None:
        if key not in self._known:
            self._known[key] = self._look(key)
        return self._known[key]

    def __getitem__(self, key: str) -> V:
        found = self._get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._keys() if self._get(key) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
