"""Children: what processes of ours are started with, wherever we stand."""

import os

from tagger.config import ROOT


def environment() -> dict[str, str]:
    """In which a child finds the program, and does its algebra in one thread."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(paths)}
