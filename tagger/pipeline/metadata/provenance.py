"""Who said it: a few properties of our own in each file, so that the file can tell.

They stand in an XMP namespace that `exiftool.config` describes. They say which program
and model the words come from, and which words, so that a catalogue that was lost, or
never was on this machine, can be made again from the files.
"""

from collections.abc import Collection

from tagger.pipeline.metadata.fields import clean, unique
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.records import Provenance

GROUP = "XMP-imagetagger"
PROGRAM = f"{GROUP}:Program"
MODEL = f"{GROUP}:Model"
PROMPT_VERSION = f"{GROUP}:PromptVersion"
TAGGED_AT = f"{GROUP}:TaggedAt"
DESCRIPTION = f"{GROUP}:Description"
TAGS = f"{GROUP}:Tags"

FIELDS = (PROGRAM, MODEL, PROMPT_VERSION, TAGGED_AT, DESCRIPTION, TAGS)


def found(*dumps: Dump) -> Provenance | None:
    """What a photo and its sidecars tell; if several do, the latest answer's."""
    said = [one for one in map(_said, dumps) if one]
    return max(said, key=lambda one: one.tagged_at, default=None)


def _said(dump: Dump) -> Provenance | None:
    program = dump.text(PROGRAM)
    if not program:
        return None
    return Provenance(
        program=program,
        model=dump.text(MODEL) or "",
        prompt_version=dump.text(PROMPT_VERSION) or "",
        tagged_at=dump.text(TAGGED_AT) or "",
        tags=tuple(tag for tag in dump.all(TAGS) if tag),
        description=dump.text(DESCRIPTION) or None,
    )


def written(dump: Dump, wanted: Provenance, *, description: str | None) -> Plan:
    """How to bring it into a file; an empty plan if the same stands there already.

    `description` is ours as it stands in the file, None where the person's stays.
    """
    texts = {
        PROGRAM: wanted.program,
        MODEL: wanted.model,
        PROMPT_VERSION: wanted.prompt_version,
        TAGGED_AT: wanted.tagged_at,
        DESCRIPTION: description or "",
    }
    put = {name: clean(text) for name, text in texts.items()}
    tags = tuple(unique(map(clean, wanted.tags)))
    return Plan(
        put={
            name: text
            for name, text in put.items()
            if dump.all(name) != ((text,) if text else ())
        },
        lists={TAGS: tags} if dump.all(TAGS) != tags else {},
    )


def without(dump: Dump, gone: Collection[str], *, description: bool) -> Plan:
    """How to let it name no longer what is taken out: some tags, or our description."""
    tags = tuple(tag for tag in dump.all(TAGS) if tag not in gone)
    names_it = DESCRIPTION in dump.values and not description
    return Plan(
        put={DESCRIPTION: ""} if names_it else {},
        lists={TAGS: tags} if tags != dump.all(TAGS) else {},
    )
