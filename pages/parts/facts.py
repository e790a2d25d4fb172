"""Facts: names and values in two columns, every value shown as it is."""

from collections.abc import Sequence

from pages.parts.component import component

_facts = component("facts", '<dl class="facts" data-testid="facts"></dl>')


def show(facts: Sequence[tuple[str, str | None]], *, key: str) -> None:
    """Show the facts that are known; those with None are left out."""
    known = [[name, value] for name, value in facts if value]
    _facts(data={"facts": known}, key=key)
