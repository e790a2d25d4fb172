"""What tests of metadata share: the person's hand, an independent eye, nasty words.

`person_writes` and `field` use an exiftool of their own, so that nothing of the code
under test takes part.
"""

import atexit
import functools
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import exiftool
from PIL import Image, ImageSequence

from tagger.imaging.identity import identity
from tagger.pipeline.metadata import Writer
from tagger.records import Intent, WantedWords, WriteMode, Written

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
    show = ["-n", "-m", "-sep", "\x1f", *options, "-p", f"[${{{name}}}]"]
    shown = _eye().execute(*show, os.fsencode(path))
    assert shown.startswith("["), _eye().last_stderr
    return shown[1:].rstrip("\n")[:-1].split("\x1f") if shown.strip() != "[]" else []


def everything(path: bytes | Path) -> dict[str, object]:
    """All that exiftool says of a file, but for its place on the disk."""
    shown = _eye().execute("-a", "-G1", "-j", "-struct", os.fsencode(path))
    found: dict[str, object] = json.loads(shown)[0]
    return {
        name: value
        for name, value in found.items()
        if name != "SourceFile" and not name.startswith(_PASSING)
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
