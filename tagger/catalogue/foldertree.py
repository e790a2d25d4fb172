"""The folder tree: directories below the folders people added, with their photos.

A directory counts the photos in it and in all below it, of those that fulfil a
question. The tree is asked for level by level: a library has tens of thousands of
directories, and a screen shows a few.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tagger.catalogue import search
from tagger.catalogue.facets import ask
from tagger.catalogue.rows import name_key
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Chosen, Wanted, choose, compiled, is_everything

ROOTS = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A directory: its path with a slash at the end, and its photos in all."""

    path: str
    name: str
    photos: int
    has_more: bool


@dataclass(slots=True)
class _Sum:
    photos: int = 0
    below: bool = False


def branches(
    catalogue: Catalogue, wanted: Wanted, opened: Sequence[str]
) -> dict[str, list[Branch]]:
    """What lies directly in each of these directories, in order of name.

    `ROOTS` stands for the folders that were added. Directories without a photo of those
    wanted are left out.
    """
    counted = _counted(catalogue, wanted)
    roots = _roots(catalogue)
    return {
        place: _of_roots(roots, counted) if place == ROOTS else _in(place, counted)
        for place in opened
    }


def _in(place: str, counted: Mapping[str, int]) -> list[Branch]:
    """The directories directly in one."""
    found: dict[str, _Sum] = {}
    start = len(place)
    for path, photos in counted.items():
        end = path.find("/", start) + 1
        if not end or not path.startswith(place):
            continue
        one = found.setdefault(path[:end], _Sum())
        one.photos += photos
        one.below = one.below or len(path) > end
    return [
        Branch(path=path, name=path[start:-1], photos=one.photos, has_more=one.below)
        for path, one in sorted(found.items(), key=lambda item: name_key(item[0]))
    ]


def _of_roots(roots: Sequence[str], counted: Mapping[str, int]) -> list[Branch]:
    listed = []
    for root in roots:
        inside = {path: n for path, n in counted.items() if path.startswith(root)}
        if inside:
            name = root.rstrip("/").rpartition("/")[2] or root
            more = any(path != root for path in inside)
            photos = sum(inside.values())
            listed.append(Branch(path=root, name=name, photos=photos, has_more=more))
    return listed


def _roots(catalogue: Catalogue) -> list[str]:
    """The folders that were added and lie in no other."""
    rows = ask(catalogue, Chosen(), "SELECT path FROM folders")
    paths = sorted({str(path).rstrip("/") + "/" for (path,) in rows}, key=name_key)
    return [
        path
        for path in paths
        if not any(path != other and path.startswith(other) for other in paths)
    ]


def _counted(catalogue: Catalogue, wanted: Wanted) -> dict[str, int]:
    """Each directory by its path with the photos that lie in itself."""
    if not is_everything(wanted) and _are_few(catalogue):
        query = compiled(catalogue, wanted)
        by_id = dict(
            search.most_frequent(
                catalogue.text, query, "directory_id", limit=search.MOST_BUCKETS - 1
            )
        )
        rows = ask(
            catalogue,
            Chosen(),
            "SELECT path, id FROM directories WHERE id IN (SELECT unnest(?::BIGINT[]))",
            list(by_id),
        )
        return _summed((path, by_id[key]) for path, key in rows)
    rows = ask(
        catalogue,
        choose(catalogue, wanted),
        """SELECT d.path, n FROM (
            SELECT i.directory_id AS id, count(*) AS n FROM images i
            WHERE {chosen} GROUP BY i.directory_id)
        JOIN directories d USING (id)""",
    )
    return _summed(rows)


def _are_few(catalogue: Catalogue) -> bool:
    """Whether the search index can count by directory, leaving none out."""
    rows = ask(catalogue, Chosen(), "SELECT count(*) FROM directories")
    return int(rows[0][0]) < search.MOST_BUCKETS


def _summed(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Two directories whose names only differ in what is no text are shown as one."""
    found: dict[str, int] = {}
    for path, photos in rows:
        found[path] = found.get(path, 0) + photos
    return found
