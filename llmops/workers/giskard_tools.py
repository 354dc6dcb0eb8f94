"""giskard as a quiet guest: imported without telemetry, network, home folder or chatter, seeded.

Whoever uses giskard gets it from here. giskard 2.19 serves Python 3.11; giskard 3 is another
product with other scans.
"""

from __future__ import annotations

import importlib
import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmops.workers.contract import WorkerError
from llmops.workers.models import version_of

TOOL = "giskard"
_QUIET: Mapping[str, str] = {
    "GSK_DISABLE_ANALYTICS": "True",
    "GSK_DISABLE_SENTRY": "True",
    "GSK_USE_POOL": "False",
}


def load(scratch: Path) -> Any:
    """The package, which keeps what it writes below `scratch`. Raises WorkerError without it."""
    if sys.version_info[:2] >= (3, 12):
        found = ".".join(map(str, sys.version_info[:2]))
        raise WorkerError(
            f"a scan needs giskard 2.19, which Python {found} does not have",
            hint="run scans under Python 3.11",
        )
    os.environ.update(_QUIET, GSK_HOME=str(scratch / "giskard"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            package = importlib.import_module("giskard")
        except ImportError as error:
            raise WorkerError(
                f"giskard cannot be imported: {error}", hint="make install puts it in place"
            ) from error
        importlib.import_module("giskard.scanner.registry")
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "giskard":
            logging.getLogger(name).setLevel(logging.ERROR)
    return package


def version() -> str:
    """The installed version of giskard."""
    return version_of(TOOL)


def seed(number: int) -> None:
    """All generators that giskard and its tools draw from, set anew."""
    import numpy as np
    import torch

    random.seed(number)
    np.random.seed(number % 2**32)  # giskard draws from this one
    torch.manual_seed(number)


@contextmanager
def at_work() -> Iterator[None]:
    """While giskard works: no warnings of its own making on the log, texts as it knows them.

    giskard 2.19 decodes columns of texts as if they might be bytes, which the text columns of
    pandas 3 refuse: without this half of its detectors throw.
    """
    import pandas as pd

    with warnings.catch_warnings(), pd.option_context("future.infer_string", False):
        warnings.simplefilter("ignore")
        yield
