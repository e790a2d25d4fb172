"""Asked: a person's SQL, within the limits of the settings."""

from tagger.catalogue import sql
from tagger.catalogue.sql import Answer, Written
from tagger.web.runtime import Runtime


def answer(opened: Runtime, text: str) -> Answer:
    """What a question found. Raises `SqlError`."""
    limits = opened.config.catalogue
    return sql.ask(
        opened.catalogue,
        opened.db,
        text,
        timeout_s=limits.sql_timeout_s,
        most_rows=limits.sql_rows,
    )


def file(opened: Runtime, text: str, format: str, *, formula_safe: bool) -> Written:
    """The same as a file. Raises `SqlError`."""
    limits = opened.config.catalogue
    return sql.write(
        opened.catalogue,
        opened.db,
        text,
        format,
        timeout_s=limits.sql_timeout_s,
        most_rows=limits.sql_file_rows,
        formula_safe=formula_safe,
    )
