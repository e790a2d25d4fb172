"""People: who the clients are, and what each of them does.

A reader of grids opens the gallery in some order, or narrowed by a tag or a month, and
leafs through it by its marks, 200 photos a page as the gallery does. Of a page it sees
up to five screens of 40 photos; the pictures of a screen are fetched over 6 connections
as browsers have, and looked at for 3 to 7 seconds. Every picture's time counts.

A searcher types a query, frequent or rare words, some with a tag or a month: every
third letter asks what may follow, 0.2 to 0.5 seconds apart. Then it asks for the photos
and, at the same time, for counts beside them. Every third search goes on through up to
six further pages. After each page it looks for 0.5 to 1.5 seconds.

An exporter takes a CSV or Parquet, of everything or of a query, and after 1 to 4
seconds the next. Told to wait, it waits as long as it was told; that is counted.

All show tokens of a few people, and take answers compressed, as browsers do. `pace`
makes every pause longer or shorter.
"""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from scripts.bench_api.wire import Answer, Broken, Line, Waking

PAGE, SCREEN, SCREENS_A_PAGE = 200, 40, 5
CONNECTIONS = 6
MOST_SAMPLES = 5
ORDERS = ({}, {}, {"sort": "taken"}, {"sort": "oldest"}, {"sort": "rating"})
COUNTED_BY = ("tags", "years", "cameras", "formats", "models", "folders")
JPEG = b"\xff\xd8"

Question = dict[str, str]


@dataclass
class Crowd:
    """What all of them share: where to ask, until when, and what was noted."""

    host: str
    port: int
    ends_s: float
    pace: float
    questions: Sequence[Question]
    waking: Waking
    times_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)
    told_to_wait: int = 0
    bytes_of_exports: int = 0

    @property
    def goes_on(self) -> bool:
        return time.perf_counter() < self.ends_s

    def note_failure(self, kind: str, path: str, what: str) -> None:
        self.failed[kind] += 1
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(f"{path}: {what}")


class Person:
    """Somebody with connections of their own, a token, and their own chance."""

    def __init__(self, crowd: Crowd, number: int, token: str | None) -> None:
        self.crowd = crowd
        self.dice = random.Random(number)
        self._lines = [Line(crowd.waking) for _ in range(CONNECTIONS)]
        signed = f"Authorization: Bearer {token}\r\n" if token else ""
        self._headers = (
            f"Host: {crowd.host}:{crowd.port}\r\nAccept-Encoding: gzip\r\n{signed}\r\n"
        )

    async def ask(
        self, kind: str, path: str, *, line: int = 0, keep: bool = True
    ) -> Answer | None:
        """The answer, if it is one; how long it took, or what went wrong, is noted."""
        crowd = self.crowd
        request = f"GET {path} HTTP/1.1\r\n{self._headers}".encode()
        try:
            answer = await self._lines[line].ask(
                crowd.host, crowd.port, request, keep=keep
            )
        except (Broken, OSError) as error:
            crowd.note_failure(kind, path, str(error))
            return None
        if answer.status in (429, 503) and b"retry-after" in answer.headers:
            crowd.told_to_wait += 1
            await asyncio.sleep(float(answer.headers[b"retry-after"]))
            return None
        if answer.status != 200:
            said = f"{answer.status} {answer.text()[:200]!r}"
            crowd.note_failure(kind, path, said)
            return None
        crowd.times_s[kind].append(answer.took_s)
        return answer

    async def listed(self, kind: str, path: str, **asked: Any) -> Any:
        """The same, of what answers with JSON."""
        answer = await self.ask(kind, f"{path}?{urlencode(asked, doseq=True)}")
        return None if answer is None else json.loads(answer.text())

    async def pause(self, low_s: float, high_s: float) -> None:
        await asyncio.sleep(self.dice.uniform(low_s, high_s) * self.crowd.pace)

    def question(self) -> Question:
        return self.dice.choice(self.crowd.questions)

    def close(self) -> None:
        for line in self._lines:
            line.close()


async def read_grids(one: Person) -> None:
    """Leaf through the gallery until the time is over."""
    while one.crowd.goes_on:
        asked: dict[str, str] = dict(one.dice.choice(ORDERS))
        narrowed = {k: v for k, v in one.question().items() if k != "q"}
        if one.dice.random() < 0.4:
            asked |= narrowed
        for _ in range(one.dice.randint(2, 6)):
            page = await one.listed("page", "/api/images", limit=PAGE, **asked)
            if page is None or not one.crowd.goes_on:
                await one.pause(1, 2)
                break
            await _look_through(one, [i["thumbnail"] for i in page["images"]])
            if page["next"] is None or not one.crowd.goes_on:
                break
            asked["after"] = page["next"]


async def _look_through(one: Person, thumbnails: Sequence[str | None]) -> None:
    seen = SCREEN * one.dice.randint(1, SCREENS_A_PAGE)
    there = [path for path in thumbnails[:seen] if path]
    for first in range(0, len(there), SCREEN):
        if not one.crowd.goes_on:
            return
        waiting = iter(there[first : first + SCREEN])
        began_s = time.perf_counter()
        fetchers = (_fetch(one, waiting, line) for line in range(CONNECTIONS))
        await asyncio.gather(*fetchers)
        one.crowd.times_s["screen_of_thumbnails"].append(time.perf_counter() - began_s)
        await one.pause(3, 7)


async def _fetch(one: Person, waiting: Iterator[str], line: int) -> None:
    for path in waiting:
        answer = await one.ask("thumbnail", path, line=line, keep=False)
        if answer is not None and answer.start != JPEG:
            one.crowd.note_failure("thumbnail", path, "no JPEG")


async def search(one: Person) -> None:
    """Type, look at what was found, and leaf on in it, again and again."""
    while one.crowd.goes_on:
        asked = one.question()
        text = asked["q"]
        for typed in range(1, len(text), 3):
            await one.listed("completion", "/api/complete", q=text[:typed], at=typed)
            await one.pause(0.2, 0.5)
        by = one.dice.sample(COUNTED_BY, one.dice.randint(1, 3))
        counts = f"/api/facets?{urlencode({**asked, 'by': by}, doseq=True)}"
        page, _ = await asyncio.gather(
            one.listed("search", "/api/search", limit=60, **asked),
            one.ask("facets", counts, line=1),
        )
        if page is not None and not page["total"]:
            one.crowd.note_failure("search", text, "finds nothing")
        await one.pause(0.5, 1.5)
        if one.dice.random() < 1 / 3:
            await _go_on(one, asked, page)


async def _go_on(one: Person, asked: Question, page: Any) -> None:
    for _ in range(one.dice.randint(1, 6)):
        if page is None or page["next"] is None or not one.crowd.goes_on:
            return
        page = await one.listed(
            "search", "/api/search", limit=60, after=page["next"], **asked
        )
        await one.pause(0.5, 1.5)


async def export(one: Person) -> None:
    """Take photos out as a table, again and again."""
    while one.crowd.goes_on:
        some = one.question() if one.dice.random() < 0.5 else {}
        asked = {**some, "format": one.dice.choice(("csv", "parquet"))}
        kind = f"export_{'some' if some else 'all'}_{asked['format']}"
        path = f"/api/export?{urlencode(asked)}"
        answer = await one.ask(kind, path, keep=False)
        if answer is not None:
            one.crowd.bytes_of_exports += answer.length
            one.crowd.times_s["export_begins"].append(answer.first_s)
        await one.pause(1, 4)
