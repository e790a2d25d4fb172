"""Saved: the questions in SQL that people gave a name, in `data/questions.json`.

They belong to nobody's photos and come out of nothing else, so neither the catalogue,
which can be deleted, nor the tracking database holds them: one small file does, which
is replaced as a whole or stays as it was.
"""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from tagger import acting
from tagger.errors import DataError, UsageError

NAME = "questions.json"
LONGEST_NAME = 100
MOST = 1000

T = TypeVar("T")

_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what it is called."""

    name: str
    sql: str


def every(data_dir: Path) -> list[Question]:
    """All of them by name. Raises `DataError` if the file is none of ours."""
    questions = load(
        data_dir / NAME, lambda one: Question(str(one["name"]), str(one["sql"]))
    )
    return sorted(questions, key=lambda one: one.name.casefold())


def load(path: Path, read: Callable[[Any], T]) -> list[T]:
    """What a file of ours lists, each as it is `read`. Raises `DataError`."""
    try:
        return [read(one) for one in json.loads(path.read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged: {error}. Mend it, or move it away to begin anew"
        ) from error


def named(data_dir: Path, name: str) -> Question:
    """The question of this name. Raises `UsageError` if there is none."""
    known = every(data_dir)
    for question in known:
        if question.name == tidy(name):
            return question
    there = ", ".join(question.name for question in known) or "none are saved yet"
    raise UsageError(f"There is no saved question called {name}; there are: {there}")


def save(data_dir: Path, name: str, sql: str) -> Question:
    """Keep a question under a name; one that had the name gives way."""
    question = Question(tidy(name), sql)
    if not question.name or len(question.name) > LONGEST_NAME:
        raise UsageError(f"A name has 1 to {LONGEST_NAME} characters")
    if not sql.strip():
        raise UsageError("There is no question to save")
    with _writing:
        others = [one for one in every(data_dir) if one.name != question.name]
        if len(others) >= MOST:
            raise UsageError(f"There are {MOST} saved questions; remove one first")
        replace(data_dir / NAME, [asdict(one) for one in (*others, question)])
    return question


def remove(data_dir: Path, name: str) -> None:
    """Forget a question. Raises `UsageError` if there is none of this name."""
    with _writing:
        gone = named(data_dir, name)
        rest = [asdict(one) for one in every(data_dir) if one != gone]
        replace(data_dir / NAME, rest)


def tidy(name: str) -> str:
    """A name as it is kept: one line, without what cannot be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def replace(path: Path, rows: list[dict[str, Any]]) -> None:
    """Put a list in the place of the one in the file. Raises `DataError`."""
    acting.refuse_unrecorded()
    text = json.dumps(rows, indent=1)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
