"""Sidecars that say of their words whatever a stranger likes."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "imagetagger": "https://ns.image-tagger.invalid/1.0/",
}
SAID = {
    "Program": "Image Tagger 0.1.0",
    "Model": "gemma3:4b",
    "PromptVersion": "p1",
    "TaggedAt": "2024-01-01T00:00:00.000Z",
}


def sidecar(
    photo: Path,
    tags: Sequence[str],
    *,
    keywords: Sequence[str] | None = None,
    description: str = "",
    said: str = "",
    **more: str,
) -> Path:
    """Put a sidecar beside a photo: it has `keywords`, of which it calls `tags` ours.

    `said` is the description it calls ours; `Model=...` and the like say who gave it.
    """
    spaces = "".join(f" xmlns:{name}='{uri}'" for name, uri in NAMESPACES.items())
    named = "".join(_field(name, text) for name, text in (SAID | more).items())
    text = (
        f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF{spaces}>"
        f"<rdf:Description rdf:about=''>{named}{_field('Description', said)}"
        f"<imagetagger:Tags>{_bag(tags)}</imagetagger:Tags>"
        f"<dc:subject>{_bag(tags if keywords is None else keywords)}</dc:subject>"
        "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>"
        f"{escape(description)}</rdf:li></rdf:Alt></dc:description>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    path = photo.with_name(f"{photo.name}.xmp")
    path.write_text(text, "utf-8")
    return path


def _field(name: str, text: str) -> str:
    return f"<imagetagger:{name}>{escape(text)}</imagetagger:{name}>" if text else ""


def _bag(entries: Sequence[str]) -> str:
    listed = "".join(f"<rdf:li>{escape(entry)}</rdf:li>" for entry in entries)
    return f"<rdf:Bag>{listed}</rdf:Bag>"
