"""The parts of the app process, put together for whoever serves them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

from tagger import config, logs
from tagger.config import Config
from tagger.errors import ConfigError
from tagger.web import api, media, runtime
from tagger.web.fetching import Thumbnails
from tagger.web.guard import Guard, host_names
from tagger.web.lifespan import Bound, Lifespan, PlainStartupErrors, lifespan
from tagger.web.packing import Unpacked

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What `st.App` takes."""

    lifespan: Lifespan
    routes: list[BaseRoute]
    middleware: list[Middleware]


def put_together(bound: Callable[[], Bound], *, warm: Sequence[str] = ()) -> Parts:
    """The parts, by the settings of this process.

    A bad setting ends the process with code 2 and one line that names it.
    """
    try:
        settings = config.load()
    except ConfigError as error:
        logs.begin(lines="%(message)s")
        log.critical("%s", error)
        raise SystemExit(2) from error
    start_logging(settings)
    return Parts(
        lifespan=lifespan(settings, bound, warm=warm),
        routes=routes(),
        middleware=middleware(settings, bound()),
    )


def routes() -> list[BaseRoute]:
    """The routes that stand beside Streamlit's own."""
    return [
        Route("/api", lambda _: RedirectResponse("/api/docs")),
        Mount("/api", app=api.make()),
        Mount("/thumbnails", app=media.make()),
    ]


def middleware(settings: Config, bound: Bound) -> list[Middleware]:
    """The layers around every request, the outermost first."""
    hosts = host_names(settings.app.host, bound.host)
    return [
        Middleware(PlainStartupErrors),
        Middleware(Guard, hosts=hosts, secret=runtime.secret),
        Middleware(Thumbnails),
        Middleware(Unpacked),
    ]


def start_logging(settings: Config) -> None:
    """What the app says of itself goes to standard error, with time and module."""
    logs.begin()
    logging.getLogger("tagger").setLevel(settings.app.log_level.upper())
