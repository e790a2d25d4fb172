"""Out files: files that people ask for, there as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tagger.errors import UsageError


@contextmanager
def replacing(out: Path) -> Iterator[BinaryIO]:
    """A file to write, which appears, or is replaced, only when all is written.

    Raises `UsageError` if it cannot be.
    """
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        os.replace(unfinished, out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
