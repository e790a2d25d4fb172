"""Fetching: the thumbnails of a whole screen, with one thread and one question.

A gallery asks for dozens of thumbnails at the same moment. Through the routes each
takes a thread and several questions to the tracking database, and threads that all want
the interpreter hold each other up. Here, what comes in while one round is at work waits
for the next, which asks about all of it at once. Nothing is remembered from one round
to another: what is served is what tracking says now.

Only the usual case is answered here: the present thumbnail, asked for by its version,
and in its store. Everything else goes on to `media`. It stands behind the guard.
"""

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp, Receive, Scope, Send

from tagger.imaging.identity import VERSION_LENGTH, thumbnail_version
from tagger.tracking import snapshots
from tagger.web import runtime
from tagger.web.media import FOR_EVER

# So many files are read before the first of them leaves.
MOST_A_ROUND = 32

_PATH = re.compile(r"/thumbnails/([1-9][0-9]{0,17})\.jpg")
_VERSION = re.compile(rf"v=([0-9a-f]{{{VERSION_LENGTH}}})")

# A photo's id and the version asked for.
Asked = tuple[int, str]


class Thumbnails:
    """ASGI layer: answers for thumbnails that are there, and passes on all else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._fetcher = Fetcher()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope)
        jpeg = None if asked is None else await self._fetcher.fetch(asked)
        if jpeg is None:
            await self.app(scope, receive, send)
            return
        headers = [
            (b"content-type", b"image/jpeg"),
            (b"content-length", b"%d" % len(jpeg)),
            (b"cache-control", FOR_EVER.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": jpeg})


def _asked(scope: Scope) -> Asked | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path = _PATH.fullmatch(scope["path"])
    if path is None:
        return None
    version = _VERSION.fullmatch(scope["query_string"].decode("latin-1"))
    return None if version is None else (int(path[1]), version[1])


class Fetcher:
    """Collects what is asked for, and looks for it in rounds."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self._waiting: list[tuple[Asked, asyncio.Future[bytes | None]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def fetch(self, asked: Asked) -> bytes | None:
        """The JPEG, if that is the photo's present thumbnail and it is there."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[bytes | None] = loop.create_future()
        self._waiting.append((asked, found))
        if self._rounds is None or self._rounds.done():
            self._rounds = loop.create_task(self._look())
        return await found

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            some = self._waiting[:MOST_A_ROUND]
            del self._waiting[:MOST_A_ROUND]
            looking = loop.run_in_executor(self._pool, look, [one for one, _ in some])
            # An error is a value here: it belongs to those who asked.
            (jpegs,) = await asyncio.gather(looking, return_exceptions=True)
            for number, (_, found) in enumerate(some):
                if found.done():
                    continue  # whoever asked went away
                if isinstance(jpegs, BaseException):
                    found.set_exception(jpegs)
                else:
                    found.set_result(jpegs[number])


def look(asked: Sequence[Asked]) -> list[bytes | None]:
    """The thumbnails of these photos, where the version is the present one."""
    opened = runtime.current()
    pictures = snapshots.pictures(opened.db, [image_id for image_id, _ in asked])
    return [
        opened.thumbnails.read(version)
        if image_id in pictures and thumbnail_version(*pictures[image_id]) == version
        else None
        for image_id, version in asked
    ]
