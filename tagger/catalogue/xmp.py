"""XMP: a photo's words as a sidecar of its own, written without exiftool.

The fields are those that a write into a sidecar fills, ours that say who said each word
included, so that words which come back by such a file are nobody else's by then. Names
and words of photos are hostile: they go in as text, without what XML cannot hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tagger import __version__
from tagger.texts import holdable
from tagger.tracking.desired import FROM_FILE, FROM_PERSON

_BEGIN = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
 <rdf:Description rdf:about=''
  xmlns:dc='http://purl.org/dc/elements/1.1/'
  xmlns:xmp='http://ns.adobe.com/xap/1.0/'
  xmlns:digiKam='http://www.digikam.org/ns/1.0/'
  xmlns:imagetagger='https://ns.image-tagger.invalid/1.0/'>
"""
_END = """ </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end='w'?>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said of a photo; `sources` says of each tag who did."""

    description: str | None
    description_source: str | None
    tags: Sequence[str]
    sources: Sequence[str]
    model: str | None
    prompt_version: str | None
    answered_at: str | None
    rating: int | None = None


def sidecar(words: Words, *, says_who: bool = True) -> bytes:
    """An XMP file with these words. `says_who` puts in who said each."""
    tags = [holdable(tag) for tag in words.tags]
    said = holdable(words.description or "")
    lines: list[str] = []
    if said.strip():
        lines += [
            "  <dc:description><rdf:Alt>",
            f"   <rdf:li xml:lang='x-default'>{escape(said)}</rdf:li>",
            "  </rdf:Alt></dc:description>",
        ]
    if words.rating is not None:
        lines.append(f"  <xmp:Rating>{words.rating}</xmp:Rating>")
    lines += _list("dc:subject", "Bag", tags)
    lines += _list("digiKam:TagsList", "Seq", tags)
    if says_who:
        lines += _who(words, said, tags)
    return (_BEGIN + "".join(f"{line}\n" for line in lines) + _END).encode()


def _who(words: Words, said: str, tags: Sequence[str]) -> list[str]:
    """Who said it, as our own properties have it; nothing if it is all of the file."""
    by: dict[str, list[str]] = {"Tags": [], "FoundTags": [], "EditedTags": []}
    known = {FROM_FILE: "FoundTags", FROM_PERSON: "EditedTags"}
    for tag, source in zip(tags, words.sources, strict=True):
        by[known.get(source, "Tags")].append(tag)
    by_whom = words.description_source
    is_edited = by_whom == FROM_PERSON and bool(said)
    if words.answered_at is None and not (by["EditedTags"] or is_edited):
        return []
    texts = {
        "Program": f"Image Tagger {__version__}",
        "Model": words.model,
        "PromptVersion": words.prompt_version,
        "TaggedAt": words.answered_at,
        "Description": "" if by_whom in (FROM_FILE, FROM_PERSON, None) else said,
        "EditedDescription": said if is_edited else "",
    }
    lines = [
        f"  <imagetagger:{name}>{escape(holdable(text))}</imagetagger:{name}>"
        for name, text in texts.items()
        if text
    ]
    for name, some in by.items():
        lines += _list(f"imagetagger:{name}", "Bag", some)
    return lines


def _list(name: str, kind: str, entries: Iterable[str]) -> list[str]:
    items = [f"   <rdf:li>{escape(one)}</rdf:li>" for one in entries if one.strip()]
    if not items:
        return []
    return [f"  <{name}><rdf:{kind}>", *items, f"  </rdf:{kind}></{name}>"]
