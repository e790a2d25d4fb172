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
from tagger.sections import Auth
from tagger.web import api, media, origin, runtime, signin
from tagger.web.afresh import Afresh
from tagger.web.fetching import Thumbnails
from tagger.web.guard import Guard, Place
from tagger.web.lifespan import Bound, Lifespan, PlainStartupErrors, Provider, lifespan
from tagger.web.limits import Limits
from tagger.web.packing import Unpacked
from tagger.web.people import People
from tagger.web.secured import Secured

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What `st.App` takes."""

    lifespan: Lifespan
    routes: list[BaseRoute]
    middleware: list[Middleware]


def put_together(
    bound: Callable[[], Bound],
    *,
    warm: Sequence[str] = (),
    provider: Provider | None = None,
) -> Parts:
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
        lifespan=lifespan(settings, bound, warm=warm, provider=provider),
        routes=routes(),
        middleware=middleware(settings, bound(), provider),
    )


def routes() -> list[BaseRoute]:
    """The routes that stand beside Streamlit's own."""
    return [
        Route("/api", lambda _: RedirectResponse("/api/docs")),
        Mount("/api", app=api.make()),
        Mount("/thumbnails", app=media.make()),
        *signin.routes(),
    ]


def middleware(
    settings: Config, bound: Bound, provider: Provider | None = None
) -> list[Middleware]:
    """The layers around every request, the outermost first."""
    names = origin.host_names(settings.app.host, bound.host)

    def auth() -> Auth:
        opened = runtime.peek()
        return settings.auth if opened is None else opened.config.auth

    def people() -> People | None:
        opened = runtime.peek()
        return None if opened is None else opened.people

    return [
        Middleware(PlainStartupErrors),
        Middleware(Secured),
        Middleware(Limits),
        Middleware(Afresh),
        Middleware(
            Guard,
            place=Place(host=bound.host, names=names),
            auth=auth,
            people=people,
            secret=runtime.secret,
            provider=provider,
        ),
        Middleware(Thumbnails),
        Middleware(Unpacked),
    ]


def start_logging(settings: Config) -> None:
    """What the app says of itself goes to standard error, with time and module."""
    logs.begin()
    logging.getLogger("tagger").setLevel(settings.app.log_level.upper())
