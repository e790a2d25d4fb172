"""Texts: what of a text no metadata field can hold, and so nobody may keep or edit.

A word that is put on record with such a character would stand in the file without it,
and be two words from then on.
"""

import re

# Controls, lone surrogates, noncharacters.
_UNHOLDABLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)


def holdable(text: str) -> str:
    """The text without what metadata cannot hold; line ends become line feeds."""
    return _UNHOLDABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
