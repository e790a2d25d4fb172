"""What tests of metadata share: the person's hand, an independent eye, nasty words.

`person_writes` and `field` use an exiftool of their own, so that nothing of the code
under test takes part.
"""

import atexit
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import exiftool
from PIL import Image, ImageSequence

from tagger.imaging.identity import identity
from tagger.pipeline.metadata import Writer
from tagger.pipeline.metadata.past import Past
from tagger.pipeline.metadata.restoring import Restored
from tagger.records import Intent, Provenance, WantedWords, WriteMode, Written

NASTY_DESCRIPTION = (
    "Öl & \"double\" 'single' 東京 😀 <b>&amp;</b>; `id` $x @y %d\n"
    "-execute\n-XMP-dc:Creator=evil\n\u0633\u0644\u0627\u0645 line end"
)
NASTY_TAGS = (
    *("2024", "true", "False", "1e5", "007", "-1", "0x10", "null", "none"),
    *("Zürich", "東京", "عربى", "😀 emoji", "👩‍👩‍👧", "e\u0301te"),
    *("a;b", "with, comma", "Places|Japan", "b/w", '"quoted"', "O'Hare", "back\\slash"),
    *(
        " lead",
        "trail ",
        "\ttab",
        "two\nlines",
        "&amp;",
        "&#10;",
        "<=file",
        "=x",
        "-=x",
    ),
    *("-execute", "-all=", "#[CSTR]x", "$x", "@y", "%d%f", "*", "x" * 300),
)

# What changes with any write of a file, and says nothing about what is in it.
_PASSING = ("File:System", "System:", "ExifTool:", "Composite:")


def words(description: str, *tags: str, **more: object) -> WantedWords:
    return WantedWords(description=description, tags=tags, **more)  # type: ignore[arg-type]


def written(
    writer: Writer,
    path: bytes,
    wanted: WantedWords,
    *,
    mode: WriteMode = WriteMode.FILE,
    on_intent: Callable[[Intent], None] = lambda intent: None,
) -> Written:
    """Write as the tagger does, for the picture that is in the file now."""
    return writer.write(
        path,
        wanted,
        mode=mode,
        expect=None,
        identity=identity(path),
        on_intent=on_intent,
    )


def person_writes(path: bytes | Path, *arguments: str | bytes) -> None:
    """Change a file as a person at a terminal would."""
    given = [b"-E", b"-q", b"-overwrite_original", *map(_argument, arguments)]
    _eye().execute(*given, os.fsencode(path))
    assert _eye().last_status == 0, _eye().last_stderr


def _argument(argument: str | bytes) -> bytes:
    """As it is, but for the value of an assignment, which is spelt in entities."""
    if isinstance(argument, bytes) or not argument.startswith("-"):
        return os.fsencode(argument)
    name, equals, value = argument.partition("=")
    return f"{name}{equals}{''.join(f'&#{ord(char)};' for char in value)}".encode()


def field(path: bytes | Path, name: str, *options: str) -> list[str]:
    """The exact texts of one field, as another exiftool sees them."""
    return all_fields(path, [name], *options)[name]


# A person's text may hold a control character, but hardly these.
_BETWEEN_FIELDS, _BETWEEN_TEXTS = "\x1e\x1c~\x1c\x1e", "\x1f\x1c~\x1c\x1f"


def all_fields(
    path: bytes | Path, names: Sequence[str], *options: str
) -> dict[str, list[str]]:
    """The exact texts of several fields, asked for at once."""
    show = _BETWEEN_FIELDS.join(f"[${{{name}}}]" for name in names)
    shown = _eye().execute(
        *("-n", "-m", "-sep", _BETWEEN_TEXTS, *options, "-p", f"<{show}>"),
        os.fsencode(path),
    )
    assert shown.startswith("<"), _eye().last_stderr
    texts = shown.rstrip("\n")[1:-1].split(_BETWEEN_FIELDS)
    return {
        name: text[1:-1].split(_BETWEEN_TEXTS) if text != "[]" else []
        for name, text in zip(names, texts, strict=True)
    }


def everything(path: bytes | Path) -> dict[str, object]:
    """All that exiftool says of a file, but for its place on the disk."""
    shown = _eye().execute("-a", "-G1", "-j", "-struct", os.fsencode(path))
    found: dict[str, object] = json.loads(shown)[0]
    return {name: value for name, value in found.items() if not _passing(name)}


def _passing(name: str) -> bool:
    return name == "SourceFile" or name.startswith(_PASSING)


def many_told(paths: Sequence[Path]) -> dict[Path, dict[str, object]]:
    """What `everything` says of many files, asked for at once."""
    shown = _eye().execute("-a", "-G1", "-j", "-struct", *map(os.fsencode, paths))
    return {
        path: {name: told for name, told in found.items() if not _passing(name)}
        for path, found in zip(paths, json.loads(shown), strict=True)
    }


@functools.cache
def _eye() -> exiftool.ExifTool:
    """An exiftool of the tests' own, through PyExifTool as it comes."""
    eye = exiftool.ExifTool(common_args=None, encoding="utf-8")
    eye.run()
    atexit.register(eye.terminate)
    return eye


def pixels(path: bytes | Path) -> str:
    """A hash of every frame, decoded."""
    digest = hashlib.sha256()
    with Image.open(os.fsdecode(path)) as image:
        for frame in ImageSequence.Iterator(image):
            digest.update(repr((frame.mode, frame.size)).encode() + frame.tobytes())
    return digest.hexdigest()


def content(path: bytes | Path) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files too: a temporary left behind shows here."""
    return sorted(os.listdir(folder))


def provenance(*tags: str, model: str = "gemma3:4b", hour: int = 10) -> Provenance:
    """What the tagger leaves in a file of an answer with these tags."""
    return Provenance(
        program="Image Tagger 1.0",
        model=model,
        prompt_version="p1",
        tagged_at=f"2026-11-22T{hour:02}:00:00.000Z",
        tags=tags,
    )


def as_told(path: bytes | Path) -> dict[str, object]:
    """All that `exiftool -a -G1 -j` says of a file and that an undo can bring back.

    Left out are the file's size, its times of access and change, places within it, and
    the version of a GIF, which is raised by the first metadata.
    """
    (told,) = all_as_told([path])
    return told


def all_as_told(
    paths: Sequence[bytes | Path], *, damaged: bool = False
) -> list[dict[str, object]]:
    """The same of many files, in their order; exiftool must know all not `damaged`."""
    shown = _eye().execute("-a", "-G1", "-j", *map(os.fsencode, paths))
    every: list[dict[str, object]] = json.loads(shown)
    assert len(every) == len(paths), _eye().last_stderr
    assert damaged or not any("ExifTool:Error" in told for told in every)
    return [
        {name: value for name, value in told.items() if not _NOT_BACK.search(name)}
        for told in every
    ]


_NOT_BACK = re.compile(
    r"^System:File(Size|AccessDate|InodeChangeDate)$|Offset|Start$|:GIFVersion$"
)


def recorded(
    writer: Writer,
    path: bytes,
    wanted: WantedWords,
    *,
    mode: WriteMode = WriteMode.FILE,
    sidecar: bytes | None = None,
) -> list[Intent]:
    """Write, and return the intents as they come out of a database again."""
    intents: list[Intent] = []
    writer.write(
        path,
        wanted,
        mode=mode,
        expect=None,
        identity=identity(path),
        on_intent=intents.append,
        sidecar=sidecar,
    )
    return [_stored(intent) for intent in intents]


def restored(writer: Writer, path: bytes, intent: Intent) -> tuple[Restored, Intent]:
    """Put one write back; what came of it, and the intent of that (or the same)."""
    intents = [intent]
    done = writer.restore(
        path,
        intent.target,
        Past(before=intent.before, intended=intent.intended),
        mode=intent.mode,
        identity=identity(path),
        on_intent=intents.append,
    )
    return done, _stored(intents[-1])


def _stored(intent: Intent) -> Intent:
    """The values of an intent, through JSON."""
    values = json.loads(json.dumps([intent.before, intent.intended]))
    before, intended = (
        {name: tuple(texts) for name, texts in value.items()} for value in values
    )
    return replace(intent, before=before, intended=intended)
