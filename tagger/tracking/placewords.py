"""Place words: in which of a photo's files a word stands, and what all of them say."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tagger.records import FileWords, PlaceWords
from tagger.tracking import tagnames


def keys(names: Iterable[str]) -> set[str]:
    """What makes each of the names one tag, whatever its spelling."""
    return {tagnames.key(name) for name in names}


def elsewhere(words: FileWords, path: bytes | None) -> set[str]:
    """The tags, by key, that stand in the photo or in another sidecar than this."""
    found = keys(words.in_photo.tags)
    for place, said in words.sidecars.items():
        if place != path:
            found |= keys(said.tags)
    return found


def without(words: FileWords, path: bytes) -> FileWords:
    """The words as they are once this sidecar is not read any more."""
    left: Mapping[bytes, PlaceWords] = {
        place: said for place, said in words.sidecars.items() if place != path
    }
    places = [*left.values(), words.in_photo]
    tags = {tagnames.key(name): name for one in places for name in one.tags}
    said = [one.description for one in places if one.description is not None]
    return replace(
        words,
        tags=tuple(tags.values()),
        description=said[0] if said else None,
        sidecars=left,
    )
