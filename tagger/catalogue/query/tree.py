"""The tree: a query as nested conditions, each a frozen record.

Intervals are half open: `low` is in, `high` is not; None leaves a side open. Two equal
queries have equal trees.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tagger.records import ImageState


class Said(StrEnum):
    """Who words come from."""

    HUMAN = "human"
    MODEL = "model"


class Part(StrEnum):
    """What a photo can have or lack."""

    GPS = "gps"
    DESCRIPTION = "description"
    TEXT = "text"
    TAGS = "tags"
    DATE = "date"
    RATING = "rating"


class Shape(StrEnum):
    """How a picture lies, as it is displayed."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"


class Column(StrEnum):
    """Names that are looked through for a piece of text."""

    CAMERA = "camera"
    LENS = "lens"
    FORMAT = "format"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Words:
    """Free text. `phrase`: in this order; `prefix`: the last word may go on."""

    text: str
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has a tag of this name, or one that begins so."""

    name: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class InFolder:
    """Lies in a directory whose path contains this text, case aside.

    With `start` the path begins with it, letter by letter: one directory of all.
    """

    part: str
    start: bool = False


@dataclass(frozen=True, slots=True)
class Of:
    """Was added with the folder of this id."""

    folder_id: int


@dataclass(frozen=True, slots=True)
class Named:
    """A column contains this text, case aside."""

    column: Column
    part: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Was taken between these moments of the camera's clock."""

    low: datetime | None
    high: datetime | None


@dataclass(frozen=True, slots=True)
class Added:
    """Was found between these moments, which are UTC without a zone."""

    low: datetime | None
    high: datetime | None


@dataclass(frozen=True, slots=True)
class Pixels:
    """Has this many pixels, width times height."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Size:
    """Its file has this many bytes."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Rated:
    """Has this many stars; a rejected photo has -1."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Clear:
    """Is so sharp and well exposed, 0 to 100."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Near:
    """Was taken within a distance of a place; degrees north and east."""

    latitude: float
    longitude: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Has:
    """Has one of these; tags count whoever said them."""

    part: Part


@dataclass(frozen=True, slots=True)
class Lies:
    """Is wider than high, higher than wide, or neither."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class From:
    """Has a tag or a description that a person, or a model, said."""

    said: Said


@dataclass(frozen=True, slots=True)
class Stands:
    """Is in one of these states."""

    states: tuple[ImageState, ...]


@dataclass(frozen=True, slots=True)
class Twice:
    """Is there more than once: another photo is the same picture."""


@dataclass(frozen=True, slots=True)
class Like:
    """Looks like the photo of this id. Alone or beside other conditions, it ranks."""

    image_id: int


@dataclass(frozen=True, slots=True)
class Means:
    """Has a description that means about this. It ranks as `Like` does."""

    text: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Is one of these photos; no text of a query says so."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Does not fulfil the condition."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """Fulfils every condition; with none it is always so."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Fulfils at least one condition."""

    nodes: tuple["Node", ...]


Leaf = (
    Words
    | Tagged
    | InFolder
    | Of
    | Named
    | Taken
    | Added
    | Pixels
    | Size
    | Rated
    | Clear
    | Near
    | Has
    | Lies
    | From
    | Stands
    | Twice
    | Like
    | Means
    | OneOf
)
Node = Leaf | Not | All | AnyOf


def both(*nodes: Node) -> Node:
    """All of these; conditions of a condition that is itself an `All` stand in one."""
    flat: list[Node] = []
    for node in nodes:
        flat += node.nodes if isinstance(node, All) else (node,)
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def leaves(node: Node) -> list[Leaf]:
    """Every condition in the tree, from left to right, denied ones included."""
    if isinstance(node, Not):
        return leaves(node.node)
    if isinstance(node, All | AnyOf):
        return [leaf for part in node.nodes for leaf in leaves(part)]
    return [node]
