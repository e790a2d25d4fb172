"""Ranking: a likeness in a query made into a list of photos, before the query is asked.

A likeness that stands beside other conditions ranks what fulfils those, so a narrow
filter is not missed by the nearest of the whole library. One in brackets, or denied, is
the list of the photos most alike of all.
"""

import numpy as np

from tagger.catalogue import search
from tagger.catalogue.alike.likeness import Ids
from tagger.catalogue.compiling import Compiler
from tagger.catalogue.query.tree import (
    All,
    AnyOf,
    Like,
    Means,
    Node,
    Not,
    OneOf,
    both,
)
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.records import ImageState

Ranks = Like | Means


def ranked(catalogue: Catalogue, node: Node) -> list[int] | None:
    """The photos a query finds, most alike first; None where it ranks by no likeness.

    Raises `UsageError` if nothing is known of what the photo named looks like.
    """
    like, rest = _parted(node)
    if like is None:
        return None
    fulfil = _fulfilling(catalogue, settled(catalogue, rest, any_state=False))
    return _ranked(catalogue, like, fulfil)


def settled(catalogue: Catalogue, node: Node, *, any_state: bool) -> Node:
    """The same tree with every likeness as the photos it means."""
    if not any_state:
        found = ranked(catalogue, node)
        if found is not None:
            _, rest = _parted(node)
            return both(_replaced(catalogue, rest), OneOf(tuple(found)))
    return _replaced(catalogue, node)


def _replaced(catalogue: Catalogue, node: Node) -> Node:
    if isinstance(node, Ranks):
        return OneOf(tuple(_ranked(catalogue, node, None)))
    if isinstance(node, Not):
        return Not(_replaced(catalogue, node.node))
    if isinstance(node, All):
        return All(tuple(_replaced(catalogue, part) for part in node.nodes))
    if isinstance(node, AnyOf):
        return AnyOf(tuple(_replaced(catalogue, part) for part in node.nodes))
    return node


def _parted(node: Node) -> tuple[Ranks | None, Node]:
    """The first likeness that must hold, and the other conditions."""
    parts = node.nodes if isinstance(node, All) else (node,)
    like = next((part for part in parts if isinstance(part, Ranks)), None)
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


def _ranked(catalogue: Catalogue, like: Ranks, among: Ids | None) -> list[int]:
    if isinstance(like, Like):
        if catalogue.likeness is None:
            raise UsageError("What photos look like is not known here")
        ids = catalogue.likeness.ranked(like.image_id, among)
    else:
        if catalogue.meaning is None:
            raise UsageError("What descriptions mean is not known here")
        with catalogue.cursor() as cursor:
            ids = catalogue.meaning.ranked(cursor, like.text, among)
    return [int(one) for one in ids]
