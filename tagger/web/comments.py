"""Comments: what `config.toml`, as it is shipped, says of each setting.

The screen says the same as the file, so that neither can grow apart from the other. A
comment holds for the settings right below it, up to the next comment or empty line.
"""

import functools
import re

from tagger.config import ROOT

_SECTION = re.compile(r"\[{1,2}([a-z_]+)\]{1,2}")
_KEY = re.compile(r"([a-z_]+)\s*=")


@functools.cache
def every() -> dict[str, str]:
    """`{"scan.interval_min": "How often folders are looked through, in minutes."}`.

    Empty where the file is gone: the settings hold without it.
    """
    path = ROOT / "config.toml"
    return parsed(path.read_text("utf-8", "replace")) if path.is_file() else {}


def parsed(text: str) -> dict[str, str]:
    """The comments of a settings file by the settings they stand above."""
    found: dict[str, str] = {}
    section, is_read = "", False
    comment: list[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            comment = [*([] if is_read else comment), line.lstrip("# ")]
            is_read = False
        elif header := _SECTION.fullmatch(line.strip()):
            section, comment = header[1], []
        elif key := _KEY.match(line):
            found[f"{section}.{key[1]}"] = " ".join(comment)
            is_read = True
        else:
            comment = []
    return {key: said for key, said in found.items() if said}
