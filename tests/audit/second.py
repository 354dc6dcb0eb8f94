"""The second verifier as an auditor has it: the file alone, without `llmops` around it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FILE = Path(__file__).parents[2] / "llmops" / "audit" / "second.py"


def load() -> ModuleType:
    """The file as a module of its own."""
    if "second" not in sys.modules:
        spec = importlib.util.spec_from_file_location("second", FILE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["second"] = module
        spec.loader.exec_module(module)
    return sys.modules["second"]
