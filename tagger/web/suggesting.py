"""Suggesting: which tags are probably one, by spelling and, with a model, by meaning.

What a person dismissed is not among them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tagger.catalogue.tagtable import Suggestion
from tagger.errors import ModelUnavailable
from tagger.tracking import bindings, dismissing
from tagger.web.runtime import Runtime

OFF = (
    "Tags near in meaning are not looked for: set the setting semantic.model to a "
    "model for texts, for example nomic-embed-text after `ollama pull nomic-embed-text`"
)


@dataclass(frozen=True, slots=True)
class Suggested:
    """The pairs, the surest first, and why none by meaning is among them, if so."""

    pairs: tuple[Suggestion, ...]
    note: str | None


def suggested(opened: Runtime, *, meaning: bool = True) -> Suggested:
    """All pairs; by `meaning` the model is asked, unless it was about these tags."""
    dismissed = frozenset(dismissing.every(opened.db))
    found = opened.tags.suggestions(dismissed)
    if not meaning:
        return Suggested(tuple(found), None)
    method = opened.meanings.method()
    if method is None:
        return Suggested(tuple(found), OFF)
    known = {frozenset((one.goes.tag_id, one.stays.tag_id)) for one in found}
    try:
        near = opened.tags.near(
            method, opened.meanings.vectors, dismissed, may_go=_may_go(opened)
        )
    except ModelUnavailable as error:
        return Suggested(tuple(found), f"Tags near in meaning are missing: {error}")
    more = [
        one
        for one in near
        if frozenset((one.goes.tag_id, one.stays.tag_id)) not in known
    ]
    return Suggested((*found, *more), None)


def _may_go(opened: Runtime) -> Callable[[bytes], bool] | None:
    """Which photos' words the model's server may get; None while no folder is bound."""
    rules = bindings.read(opened.db)
    if not rules.rules:
        return None
    url = opened.config.semantic.url.rstrip("/")
    names = {s.called for s in opened.config.servers if s.url.rstrip("/") == url}

    def may_go(path: bytes) -> bool:
        bound = rules.of(path)
        return bound is None or bool(bound & names)

    return may_go
