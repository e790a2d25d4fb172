"""Texts: what of a text files can hold, and what of it a terminal may be shown.

A word that was put on record with a character no metadata can hold would stand in the
file without it, and be two words from then on. And a terminal takes some characters
for commands, whoever wrote them.
"""

import re

# Well above the 60 kB that are shown to arrive whole in every format.
LONGEST_DESCRIPTION = 100_000

# Controls, lone surrogates, noncharacters.
_UNHOLDABLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)


_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/?#@:\s]*):[^/?#\s]*@")


def without_password(text: str) -> str:
    """The text with `***` in the place of passwords in addresses."""
    return _PASSWORD.sub(r"\g<user>:***@", text)


def holdable(text: str) -> str:
    """The text without what metadata cannot hold; line ends become line feeds."""
    return _UNHOLDABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """One line that is safe on a terminal; each control character becomes `·`."""
    return _COMMANDS.sub("·", text).encode("utf-8", "replace").decode()


def escaped(json_text: str) -> str:
    """JSON that is safe on a terminal and says the same; its line breaks stay."""
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)


_IN_JSON = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
