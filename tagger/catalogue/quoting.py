"""Quoting: texts and names as they stand in SQL, where nothing can be bound."""

from pathlib import Path


def literal(text: Path | str) -> str:
    """A text; a path is one of ours, but the data folder may have a quote."""
    return "'" + str(text).replace("'", "''") + "'"


def name(text: str) -> str:
    """The name of a table or column."""
    return '"' + text.replace('"', '""') + '"'
