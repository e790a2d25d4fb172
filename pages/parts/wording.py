"""Wording: numbers, sizes, times and states as people read them, and safe labels.

Streamlit reads labels and messages as Markdown. Text that comes from a file, a model or
a person goes through `plain` first, or is shown by `st.text` and the components, which
know no markup at all.
"""

import os
import re
from datetime import UTC, datetime

from tagger.errors import UsageError
from tagger.records import REJECTED, STARS, ImageState, Watching, WriteMode

# Shown between two characters that would otherwise be joined to a link, dash or arrow.
_WORD_JOINER = "\u2060"
_JOINED = re.compile(r"(?<=[-<>~=])(?=[-<>=])|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.I)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

BUILTIN = "builtin"  # the built-in model's name as a source

WRITE_MODES = {
    WriteMode.FILE: "Into the photos",
    WriteMode.SIDECAR: "Beside the photos",
    WriteMode.MIRROR: "Into a mirror",
    WriteMode.NONE: "Nowhere",
}
WRITE_MODE_HELP = {
    WriteMode.FILE: "Description and tags are added to each photo's own metadata; the "
    "picture and the keywords that are there stay as they are.",
    WriteMode.SIDECAR: "Each photo gets a small .xmp file next to it; the photo itself "
    "is never changed.",
    WriteMode.MIRROR: "Each photo gets a small .xmp file in a tree of its own that "
    "follows the folder; nothing is ever written among the photos.",
    WriteMode.NONE: "Nothing is written; description and tags are kept in this "
    "catalogue only.",
}
# What a changed mode means, said when it is changed.
FROM_NOW_ON = {
    WriteMode.FILE: "New words go into the photos from now on.",
    WriteMode.SIDECAR: "New words go into .xmp files beside the photos from now on.",
    WriteMode.MIRROR: "New words go into the mirror from now on.",
    WriteMode.NONE: "New words go into this catalogue only from now on.",
}
WRITE_AT_ONCE, WRITE_AFTER_REVIEW = "At once", "After review"
WHEN = {False: WRITE_AT_ONCE, True: WRITE_AFTER_REVIEW}
WHEN_HELP = (
    "At once: what a model says is written as soon as it is there. After review: it "
    "waits on the Review page, and nothing of it is written or shown before you accept "
    "it."
)
STAYS = "What was written so far stays where it is."
WRITTEN = {
    WriteMode.FILE: "into the photo",
    WriteMode.SIDECAR: "beside the photo",
    WriteMode.MIRROR: "into the mirror",
    WriteMode.NONE: "in the catalogue only",
}
STATES = {
    ImageState.TAGGED: "Tagged",
    ImageState.REVIEW: "To review",
    ImageState.QUEUED: "Waiting",
    ImageState.NEW: "Not queued",
    ImageState.NOT_WRITTEN: "Not written",
    ImageState.FAILED: "Failed",
    ImageState.MISSING: "Missing",
}


def plain(text: str) -> str:
    """Text for a Streamlit label or message, so that none of it acts as Markdown."""
    one_line = " ".join(_JOINED.sub(_WORD_JOINER, text).split())
    return _PUNCTUATION.sub(r"\\\1", one_line)


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 photo`, `2,000 photos`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def upper(sentence: str) -> str:
    """The sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def duration(seconds: float) -> str:
    """How long something takes, in the unit that says something: `about 3 hours`."""
    for unit, length_s in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length_s:
            return f"about {count(round(seconds / length_s), unit)}"
    return "about a minute" if seconds >= 45 else "under a minute"


def seconds(value: float) -> str:
    """`0.12 s`, `4.1 s`, `73 s`."""
    return f"{value:.2f} s" if value < 1 else f"{value:.{int(value < 20)}f} s"


def rate(a_minute: float) -> str:
    """`0.4`, `41`, `1,200`."""
    return f"{a_minute:,.0f}" if a_minute >= 10 else f"{a_minute:.1f}"


def megabytes(size_bytes: int) -> str:
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000)):,} kB"
    return f"{size_bytes / 1_000_000:,.1f} MB"


def pixels(width_px: int, height_px: int) -> str:
    megapixels = width_px * height_px / 1_000_000
    return f"{width_px:,} x {height_px:,} ({megapixels:.1f} megapixels)"


def day(camera_time: str) -> str:
    """The camera's wall clock, `5 May 2024, 14:03`."""
    at = datetime.fromisoformat(camera_time)
    return f"{at.day} {at:%B %Y, %H:%M}"


def month(year_month: str, *, short: bool = False) -> str:
    """`2024-05` as `May 2024`, in full or with the month's first three letters."""
    first_day = datetime.fromisoformat(f"{year_month}-01")
    return f"{first_day:%b %Y}" if short else f"{first_day:%B %Y}"


# Settings whose names in the file do not read well as a label.
_NAMES = {
    "servers.url": "Address",
    "servers.timeout_s": "Time-out, seconds",
    "servers.api_key_env": "Variable that holds the API key",
    "servers.parallel": "Photos at a time, or auto",
    "servers.connect_timeout_s": "Time-out to connect, seconds",
    "servers.weight": "Weight (0: only for folders bound to it)",
    "metadata.timeout_s": "Time-out, seconds",
    "metadata.user_comment": "EXIF user comment",
    "metadata.mirror_dir": "Folder of the mirror",
    "metadata.sidecar_name": "Name of a new sidecar",
    "metadata.share_sidecar": "RAW and JPEG of one name share a sidecar",
    "metadata.replace_person_description": "Replace a person's description",
    "model.tags_min": "Tags, at least",
    "model.tags_max": "Tags, at most",
    "model.image_side_px": "Longest side the model sees, pixels",
    "scan.settle_s": "Leave a file alone until unchanged for, seconds",
    "scan.interval_min": "Look through every, minutes",
    "schedule.window": "Only in these hours, such as 22:00-07:00",
    "schedule.timezone": "Time zone of these hours, such as Europe/Rome",
    "schedule.order": "Which photos go first",
    "schedule.photos_a_day": "Photos a day, at most (0: no limit)",
    "catalogue.sql_timeout_s": "A question may take, seconds",
    "catalogue.sql_rows": "Rows of an answer, at most",
    "catalogue.sql_file_rows": "Rows of a file, at most",
    "semantic.url": "Address",
    "semantic.timeout_s": "Time-out, seconds",
    "semantic.api_key_env": "Variable that holds the API key",
    "ui.tile_url": "Pieces of a map, such as https://…/{z}/{x}/{y}.png",
    "data.dir": "Data folder",
    "library.roots": "Photos lie in these folders only",
}
_UNITS = {"s": "seconds", "min": "minutes", "px": "pixels"}


def setting(key: str) -> str:
    """A label for a setting: `retry.wait_base_s` as `Wait base, seconds`."""
    if key in _NAMES:
        return _NAMES[key]
    words = key.rpartition(".")[2].split("_")
    unit = _UNITS.get(words[-1])
    if unit:
        return f"{' '.join(words[:-1]).capitalize()}, {unit}"
    return " ".join(words).capitalize()


def typed_path(typed: str) -> bytes:
    """The path a person typed, `~` and quotes as a terminal would take them.

    Raises `UsageError` for one that does not start at the root.
    """
    text = typed.strip().strip("\"'")
    path = os.path.expanduser(text)
    if not os.path.isabs(path):
        raise UsageError(
            f"{text or 'Nothing'} is not a whole path; give one that starts with /"
        )
    return os.fsencode(path)


def ago(utc: str, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that says something."""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(utc)).total_seconds()
    if seconds < 60:
        return "just now"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return f"{count(int(seconds // length), unit)} ago"
    raise AssertionError("a minute is the smallest unit")


def watching(known: Watching) -> str:
    """How changes of a folder come to be known."""
    return upper(known.note) if known.note else "Watched: changes show up at once."


def place(gps: tuple[float, float]) -> str:
    """Coordinates as on a map: `43.1912° N, 4.8326° W`."""
    latitude, longitude = gps
    north = "N" if latitude >= 0 else "S"
    east = "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.4f}° {north}, {abs(longitude):.4f}° {east}"


def stars(rating: int | None) -> str | None:
    """`4 of 5 stars`, or that a person put the photo aside; None without a rating."""
    if rating is None:
        return None
    return "rejected" if rating == REJECTED else f"{rating} of {STARS} stars"


def of_a_hundred(share: int | None) -> str | None:
    return None if share is None else f"{share} of 100"


def source(name: str) -> str:
    """Who said a tag, as a clause."""
    return {
        "file": "found in the file",
        "person": "added by a person",
        BUILTIN: "seen by the built-in model",
    }.get(name, f"seen by {name}")
