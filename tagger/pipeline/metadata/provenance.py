"""Who said it: a few properties of our own in each file, so that the file can tell.

They stand in an XMP namespace that `exiftool.config` describes. They say which program
and model the words come from, and which words, so that a catalogue that was lost, or
never was on this machine, can be made again from the files.
"""

from collections.abc import Collection

from tagger.pipeline.metadata.fields import clean, same, unique
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.records import Provenance

GROUP = "XMP-imagetagger"
PROGRAM = f"{GROUP}:Program"
MODEL = f"{GROUP}:Model"
PROMPT_VERSION = f"{GROUP}:PromptVersion"
TAGGED_AT = f"{GROUP}:TaggedAt"
DESCRIPTION = f"{GROUP}:Description"
EDITED_DESCRIPTION = f"{GROUP}:EditedDescription"
TAGS = f"{GROUP}:Tags"
FOUND_TAGS = f"{GROUP}:FoundTags"
EDITED_TAGS = f"{GROUP}:EditedTags"
REMOVED_TAGS = f"{GROUP}:RemovedTags"

BAGS = (TAGS, FOUND_TAGS, EDITED_TAGS, REMOVED_TAGS)
FIELDS = (
    *(PROGRAM, MODEL, PROMPT_VERSION, TAGGED_AT, DESCRIPTION, EDITED_DESCRIPTION),
    *BAGS,
)


def found(dump: Dump, beside: Dump | None = None) -> Provenance | None:
    """What a photo and its sidecar tell; if both do, the later answer's."""
    said = [one for one in (_said(dump), _said(beside or Dump())) if one]
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
        tags=_bag(dump, TAGS),
        description=dump.text(DESCRIPTION) or None,
        found_tags=_bag(dump, FOUND_TAGS),
        edited_tags=_bag(dump, EDITED_TAGS),
        removed_tags=_bag(dump, REMOVED_TAGS),
        edited_description=dump.text(EDITED_DESCRIPTION) or None,
    )


def _bag(dump: Dump, name: str) -> tuple[str, ...]:
    return tuple(tag for tag in dump.all(name) if tag)


def written(
    dump: Dump, wanted: Provenance, *, description: str | None, by_person: bool = False
) -> Plan:
    """How to bring it into a file; an empty plan if the same stands there already.

    `description` is ours as it stands in the file, None where the person's stays; or
    the one a person gave in the program (`by_person`).
    """
    texts = {
        PROGRAM: wanted.program,
        MODEL: wanted.model,
        PROMPT_VERSION: wanted.prompt_version,
        TAGGED_AT: wanted.tagged_at,
        DESCRIPTION: "" if by_person else description or "",
        EDITED_DESCRIPTION: description or "" if by_person else "",
    }
    put = {name: clean(text) for name, text in texts.items()}
    bags = {
        TAGS: wanted.tags,
        FOUND_TAGS: wanted.found_tags,
        EDITED_TAGS: wanted.edited_tags,
        REMOVED_TAGS: wanted.removed_tags,
    }
    lists = {name: tuple(unique(map(clean, tags))) for name, tags in bags.items()}
    return Plan(
        put={
            name: text
            for name, text in put.items()
            if dump.all(name) != ((text,) if text else ())
        },
        lists={name: tags for name, tags in lists.items() if dump.all(name) != tags},
    )


def without(dump: Dump, gone: Collection[str], *, description: bool) -> Plan:
    """How to let it name no longer what is taken out: some tags, or our description."""
    words = {same(entry) for entry in gone}
    left = {
        name: tuple(tag for tag in dump.all(name) if same(tag) not in words)
        for name in (TAGS, FOUND_TAGS, EDITED_TAGS)
    }
    names_it = DESCRIPTION in dump.values and not description
    return Plan(
        put={DESCRIPTION: ""} if names_it else {},
        lists={name: tags for name, tags in left.items() if tags != dump.all(name)},
    )
