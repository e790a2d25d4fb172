"""Two thousand different photos, and conditions on them said twice: as people type
them, and in plain Python over the same photos."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert

from tagger.records import ImageState
from tagger.tracking import changes, folders, tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import file_tags, result_tags
from tagger.tracking.schema import files as file_table
from tagger.tracking.schema import results as result_table

WORDS = ("dog", "beach", "lighthouse", "run", "snow", "market", "red", "car", "night")
# As typed, and the form that both have in common.
FORMS = {
    **{word: word for word in WORDS},
    **{"dogs": "dog", "Beaches": "beach", "LIGHTHOUSES": "lighthouse"},
    **{"running": "run", "cars": "car"},
}
TAGS = ("dog", "dogs at home", "Red Car", "red", "snow", "snowman", "Café", "night")
DIRECTORIES = ("2023/spain", "2024/italy", "2024/Italy trip", "2024/home", "x(1)")
CAMERAS = ("FUJIFILM X-T4", "Canon EOS 5D", "Canon PowerShot", None)
LENSES = ("XF35mmF1.4 R", "EF 50mm", None)
FORMATS = ("JPEG", "HEIC", "PNG", "TIFF")
MODELS = ("gemma3:4b", "llava:13b", "builtin")
SIZES = ((400, 300), (3000, 4000), (4000, 3000), (6000, 4000), (2000, 2000))
PLACES = ((45.4, 12.3), (45.41, 12.31), (45.9, 12.9), (-33.86, 151.2), None)
STATES = (
    *((ImageState.TAGGED,) * 6),
    *(ImageState.FAILED, ImageState.NEW, ImageState.QUEUED, ImageState.NOT_WRITTEN),
)


@dataclass(frozen=True, kw_only=True)
class Known:
    """One photo of the two thousand."""

    id: int
    directory: str
    name: str
    description: tuple[str, ...]
    described_by_human: bool
    text: tuple[str, ...]
    model: str | None
    model_tags: tuple[str, ...]
    human_tags: tuple[str, ...]
    camera: str | None
    lens: str | None
    format: str | None
    width: int | None
    height: int | None
    size_bytes: int
    taken: datetime | None
    added: datetime
    place: tuple[float, float] | None
    rating: int | None
    quality: int | None
    state: ImageState
    missing: bool

    @property
    def tags(self) -> tuple[str, ...]:
        return (*self.human_tags, *self.model_tags)

    @property
    def values(self) -> list[list[str]]:
        """Every text of the photo, each as its words."""
        name = self.name.replace(".", " ").split()
        tags = [tag.lower().replace("é", "e").split() for tag in self.tags]
        return [list(self.description), list(self.text), name, *tags]

    @property
    def words(self) -> set[str]:
        return {word for value in self.values for word in value}


def fill(db: Database, folder_id: int, count: int, *, seed: int = 1) -> list[Known]:
    """Put so many photos into tracking in one transaction; returns them."""
    dice = random.Random(seed)
    known = [_made_up(dice, number) for number in range(1, count + 1)]
    root = folders.get(db, folder_id).path
    with db.write() as connection:
        ids = tagnames.ids(connection, TAGS)
        for one in known:
            if one.model:
                connection.execute(insert(result_table), _answer(one))
            connection.execute(insert(file_table), _file(one, folder_id, root))
            for table, tags, key in (
                (result_tags, one.model_tags, {"result_id": one.id}),
                (file_tags, one.human_tags, {"file_id": one.id}),
            ):
                for position, tag in enumerate(tags):
                    named = {"name": tag} if table is file_tags else {}
                    tag_id = ids[tagnames.key(tag)]
                    row = {**key, **named, "position": position, "tag_id": tag_id}
                    connection.execute(insert(table), row)
        changes.record(connection, changes.IMAGE, [one.id for one in known])
    return known


def _made_up(dice: random.Random, number: int) -> Known:
    def some(items: Sequence[str], most: int) -> tuple[str, ...]:
        return tuple(dice.sample(items, dice.randint(0, most)))

    state = dice.choice(STATES)
    seen = state not in (ImageState.NEW, ImageState.QUEUED) or dice.random() < 0.5
    answered = state in (ImageState.TAGGED, ImageState.NOT_WRITTEN)
    tags = list(dict.fromkeys(dice.sample(TAGS, dice.randint(0, 4))))
    cut = dice.choice((0, 0, 1, 2, len(tags)))
    width, height = dice.choice(SIZES) if seen else (None, None)
    days = dice.randrange(900)
    return Known(
        id=number,
        directory=dice.choice(DIRECTORIES),
        name=f"img{number}.jpg",
        description=some(WORDS, 5) if answered or dice.random() < 0.2 else (),
        described_by_human=not answered or dice.random() < 0.1,
        text=some(WORDS, 2) if answered and dice.random() < 0.3 else (),
        model=dice.choice(MODELS) if answered else None,
        model_tags=tuple(tags[cut:]) if answered else (),
        human_tags=tuple(tags[:cut]),
        camera=dice.choice(CAMERAS) if seen else None,
        lens=dice.choice(LENSES) if seen else None,
        format=dice.choice(FORMATS) if seen else None,
        width=width,
        height=height,
        size_bytes=dice.choice((900, 200_000, 4_800_000, 5_100_000, 10**10)),
        taken=datetime(2023, 1, 1, 12) + timedelta(days=days, seconds=days * 37)
        if seen and dice.random() < 0.8
        else None,
        added=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number),
        place=dice.choice(PLACES) if seen else None,
        rating=dice.choice((None, None, -1, 1, 2, 3, 4, 5)),
        quality=dice.randint(0, 100) if seen and dice.random() < 0.9 else None,
        state=state,
        missing=dice.random() < 0.05,
    )


def _file(one: Known, folder_id: int, root: bytes) -> dict[str, object]:
    latitude, longitude = one.place or (None, None)
    description = " ".join(one.description) or None
    return {
        "id": one.id,
        "folder_id": folder_id,
        "path": root + b"/" + one.directory.encode() + b"/" + one.name.encode(),
        **dict.fromkeys(("dev", "ino", "mtime_ns", "ctime_ns"), 1),
        "size_bytes": one.size_bytes,
        "state": one.state.value,
        "missing_since": "2026-01-01T00:00:00.000Z" if one.missing else None,
        "added_at": one.added.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "identity": f"t1:{one.id}",
        "format": one.format,
        "width_px": one.width,
        "height_px": one.height,
        "orientation": 1,
        "frames": 1,
        "taken_at": one.taken.isoformat() if one.taken else None,
        "camera": one.camera,
        "lens": one.lens,
        "rating": one.rating,
        "quality": one.quality,
        "latitude": latitude,
        "longitude": longitude,
        "found_description": description if one.described_by_human else None,
        "result_id": one.id if one.model else None,
    }


def _answer(one: Known) -> dict[str, object]:
    return {
        "id": one.id,
        "identity": f"t1:{one.id}",
        "backend": "ollama",
        "model": one.model,
        "prompt_version": "p1",
        "server": "",
        "description": "" if one.described_by_human else " ".join(one.description),
        "text": " ".join(one.text) or None,
        "seconds": 0.5,
        "created_at": "2026-01-01T00:00:00.000Z",
    }


Fits = Callable[[Known], bool]


@dataclass(frozen=True)
class Condition:
    """A condition as typed, and what it says of a photo."""

    typed: str
    fits: Fits
    of_missing: bool = False


def word(typed: str) -> Condition:
    def fits(one: Known) -> bool:
        return FORMS[typed] in {FORMS.get(word, word) for word in one.words}

    return Condition(typed, fits)


def phrase(first: str, second: str) -> Condition:
    def fits(one: Known) -> bool:
        pair = [first, second]
        return any(
            value[at : at + 2] == pair
            for value in one.values
            for at in range(len(value))
        )

    return Condition(f'"{first} {second}"', fits)


def prefix(start: str) -> Condition:
    return Condition(
        f"{start}*", lambda one: any(w.startswith(start) for w in one.words)
    )


def tag(name: str) -> Condition:
    typed = f'tag:"{name}"' if " " in name else f"tag:{name}"
    return Condition(
        typed, lambda one: name.lower() in [tag.lower() for tag in one.tags]
    )


def tag_prefix(start: str) -> Condition:
    return Condition(
        f"tag:{start}*",
        lambda one: any(tag.lower().startswith(start) for tag in one.tags),
    )


def folder(part: str) -> Condition:
    typed = f'folder:"{part}"' if " " in part else f"folder:{part}"
    return Condition(typed, lambda one: part.lower() in f"/{one.directory}/".lower())


def named(field: str, part: str) -> Condition:
    def fits(one: Known) -> bool:
        value = getattr(one, field)
        return value is not None and part.lower() in value.lower()

    return Condition(f"{field}:{part}", fits)


def taken(typed: str, first: date | None, last: date | None) -> Condition:
    """Both days are meant, from midnight to midnight."""

    def fits(one: Known) -> bool:
        return one.taken is not None and _within(one.taken.date(), first, last)

    return Condition(f"taken:{typed}", fits)


def added(typed: str, first: date | None, last: date | None) -> Condition:
    """Days are those of this machine's clock."""
    return Condition(
        f"added:{typed}",
        lambda one: _within(one.added.astimezone().date(), first, last),
    )


def megapixels(typed: str, least: float | None, most: float | None) -> Condition:
    def fits(one: Known) -> bool:
        if one.width is None or one.height is None:
            return False
        return _within(one.width * one.height / 1e6, least, most)

    return Condition(f"size:{typed}", fits)


def file_bytes(typed: str, least: int | None, most: int | None) -> Condition:
    return Condition(f"bytes:{typed}", lambda one: _within(one.size_bytes, least, most))


def rating(typed: str, *stars: int | None) -> Condition:
    return Condition(f"rating:{typed}", lambda one: one.rating in stars)


def quality(typed: str, least: int, most: int) -> Condition:
    def fits(one: Known) -> bool:
        return one.quality is not None and least <= one.quality <= most

    return Condition(f"quality:{typed}", fits)


def orientation(shape: str) -> Condition:
    def fits(one: Known) -> bool:
        width, height = one.width or 0, one.height or 0
        lies = {
            "landscape": width > height,
            "portrait": width < height,
            "square": width == height > 0,
        }
        return lies[shape]

    return Condition(f"orientation:{shape}", fits)


def has(part: str) -> Condition:
    there: dict[str, Fits] = {
        "gps": lambda one: one.place is not None,
        "description": lambda one: bool(one.description),
        "text": lambda one: bool(one.text),
        "tags": lambda one: bool(one.tags),
        "date": lambda one: one.taken is not None,
        "rating": lambda one: one.rating is not None,
    }
    return Condition(f"has:{part}", there[part])


def near(latitude: float, longitude: float, km: float) -> Condition:
    def fits(one: Known) -> bool:
        if one.place is None:
            return False
        there = [math.radians(degrees) for degrees in one.place]
        here = math.radians(latitude), math.radians(longitude)
        # The angle between two places by the law of cosines, not by the haversine.
        angle = math.acos(
            min(
                1.0,
                math.sin(here[0]) * math.sin(there[0])
                + math.cos(here[0]) * math.cos(there[0]) * math.cos(here[1] - there[1]),
            )
        )
        return angle * 6_371_008.8 <= km * 1000

    return Condition(f"near:{latitude},{longitude},{km}km", fits)


def source(who: str) -> Condition:
    def fits(one: Known) -> bool:
        by_human = bool(one.human_tags) or bool(
            one.description and one.described_by_human
        )
        by_model = bool(one.model_tags) or bool(
            one.description and not one.described_by_human
        )
        return by_human if who == "human" else by_model

    return Condition(f"source:{who}", fits)


def state(typed: str, *states: ImageState) -> Condition:
    def fits(one: Known) -> bool:
        return (ImageState.MISSING if one.missing else one.state) in states

    return Condition(f"state:{typed}", fits, of_missing=typed == "missing")


def untagged() -> Condition:
    return Condition("state:untagged", lambda one: not one.tags)


def no(inner: Condition, sign: str) -> Condition:
    typed = f"({inner.typed})" if inner.typed.startswith("(") else inner.typed
    return Condition(
        f"{sign}{typed}", lambda one: not inner.fits(one), inner.of_missing
    )


def all_of(parts: Sequence[Condition], sign: str) -> Condition:
    return Condition(
        sign.join(f"({part.typed})" for part in parts),
        lambda one: all(part.fits(one) for part in parts),
        any(part.of_missing for part in parts),
    )


def any_of(parts: Sequence[Condition]) -> Condition:
    return Condition(
        " OR ".join(f"({part.typed})" for part in parts),
        lambda one: any(part.fits(one) for part in parts),
        any(part.of_missing for part in parts),
    )


def expected(known: Sequence[Known], asked: Condition) -> list[int]:
    """The ids a query must find. Missing photos count only if it speaks of them."""
    return [
        one.id
        for one in known
        if asked.fits(one) and (asked.of_missing or not one.missing)
    ]


def _within(value: float | date, least: object, most: object) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)  # type: ignore[operator]
