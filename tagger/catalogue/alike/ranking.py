"""Ranking: a likeness in a query made into a list of photos, before the query is asked.

A likeness that stands beside other conditions ranks what fulfils those, so a narrow
filter is not missed by the nearest of the whole library. One in brackets, or denied, is
the list of the photos most alike of all.
"""

from collections.abc import Iterable

import numpy as np

from tagger.catalogue import search
from tagger.catalogue.alike.likeness import Ids, Likeness
from tagger.catalogue.compiling import Compiler
from tagger.catalogue.query.tree import All, AnyOf, Like, Node, Not, OneOf, both
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.records import ImageState


def ranked(catalogue: Catalogue, node: Node) -> list[int] | None:
    """The photos a query finds, most alike first; None where it ranks by no likeness.

    Raises `UsageError` if nothing is known of what the photo named looks like.
    """
    like, rest = _parted(node)
    if like is None:
        return None
    fulfil = _fulfilling(catalogue, settled(catalogue, rest, any_state=False))
    return _listed(_of(catalogue).ranked(like.image_id, fulfil))


def settled(catalogue: Catalogue, node: Node, *, any_state: bool) -> Node:
    """The same tree with every likeness as the photos it means."""
    if not any_state:
        found = ranked(catalogue, node)
        if found is not None:
            _, rest = _parted(node)
            return both(_replaced(catalogue, rest), OneOf(tuple(found)))
    return _replaced(catalogue, node)


def _replaced(catalogue: Catalogue, node: Node) -> Node:
    if isinstance(node, Like):
        return OneOf(tuple(_listed(_of(catalogue).ranked(node.image_id))))
    if isinstance(node, Not):
        return Not(_replaced(catalogue, node.node))
    if isinstance(node, All):
        return All(tuple(_replaced(catalogue, part) for part in node.nodes))
    if isinstance(node, AnyOf):
        return AnyOf(tuple(_replaced(catalogue, part) for part in node.nodes))
    return node


def _parted(node: Node) -> tuple[Like | None, Node]:
    """The first likeness that must hold, and the other conditions."""
    parts = node.nodes if isinstance(node, All) else (node,)
    like = next((part for part in parts if isinstance(part, Like)), None)
    if like is None:
        return None, node
    rest = list(parts)
    rest.remove(like)
    return like, All(tuple(rest))


def _fulfilling(catalogue: Catalogue, node: Node) -> Ids:
    with catalogue.cursor() as cursor:
        if node == All(()):
            cursor.execute(
                "SELECT id FROM images WHERE state <> ?", [ImageState.MISSING.value]
            )
            return np.asarray(cursor.fetchnumpy()["id"], np.int64)
        query = Compiler(catalogue.text, cursor).compile(node)
    return search.every_id(catalogue.text, query)


def _of(catalogue: Catalogue) -> Likeness:
    if catalogue.likeness is None:
        raise UsageError("what photos look like is not known here")
    return catalogue.likeness


def _listed(ids: Iterable[int]) -> list[int]:
    return [int(one) for one in ids]
