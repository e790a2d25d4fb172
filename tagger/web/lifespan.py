"""What happens around the serving: everything is opened before, and closed after it.

Order matters. The catalogue is opened first, because its lock tells whether another
app has this data folder; the tagger starts last and ends first.
"""

import asyncio
import contextlib
import gc
import importlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger.config import Config
from tagger.errors import ConfigError, TaggerError
from tagger.tracking import presence, users
from tagger.web import appfile, runtime
from tagger.web.appfile import AppFile
from tagger.web.intaker import Intaker
from tagger.web.memory import Returning
from tagger.web.promptness import allow_connections, send_at_once, take_short_turns
from tagger.web.runtime import Runtime
from tagger.web.serve import refuse_strangers
from tagger.web.supervisor import Supervisor

LOCK_WAIT_S = 30.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_FAILED = "lifespan.startup.failed"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bound:
    """Where the server really listens, whatever the settings say."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where this machine finds it: an address for all stands for its own, too."""
        host = _EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Another provider that signs people in, as whoever serves the app knows it.

    `check` raises `ConfigError` if it is not set up; `url` is where a browser is sent,
    `named` says who came back from there in so many hours, `paths` are those of the
    way, and `end` is where signing out goes on.
    """

    check: Callable[[], None]
    url: Callable[[], str]
    named: Callable[[Mapping[str, str], float], str | None]
    paths: tuple[str, ...]
    end: str


Lifespan = Callable[[object], AbstractAsyncContextManager[dict[str, Runtime]]]


def lifespan(
    config: Config,
    bound: Callable[[], Bound],
    *,
    warm: Sequence[str] = (),
    provider: Provider | None = None,
) -> Lifespan:
    """The app's lifespan. `warm` names modules to import before the first visitor."""

    @contextlib.asynccontextmanager
    async def around(_app: object) -> AsyncIterator[dict[str, Runtime]]:
        refuse_believing(os.environ)
        opening = _opened(config, bound(), warm, provider)
        opened = await asyncio.to_thread(opening.__enter__)
        try:
            yield {"runtime": opened}
        finally:
            await asyncio.to_thread(opening.__exit__, None, None, None)

    return around


@contextlib.contextmanager
def _opened(
    config: Config, bound: Bound, warm: Sequence[str], provider: Provider | None
) -> Iterator[Runtime]:
    send_at_once(bound.port)
    take_short_turns()
    allow_connections()
    with contextlib.ExitStack() as stack:
        returning = Returning()
        stack.callback(returning.stop)
        returning.start()
        stack.callback(runtime.use, None)
        opened = Runtime.open(config, wait_s=LOCK_WAIT_S)
        stack.callback(opened.close)
        refuse_strangers(
            config,
            bound.host,
            has_admin=users.has_admin(opened.db),
            setting="server.address",
        )
        if config.auth.mode == "oidc":
            _offer(opened, provider)
        if ignored := ignored_address(os.environ, bound):
            log.warning(ignored)
            opened.notices.set("address", ignored)
        intaker = Intaker(opened)
        stack.callback(intaker.stop)
        intaker.start()
        opened.supervisor = _supervisor(opened)
        stack.callback(opened.supervisor.stop)
        _warm(warm)
        if config.tagger.with_app:
            opened.supervisor.start()
        opened.secret = appfile.new_secret()
        runtime.use(opened)
        left = AppFile(url=bound.url, pid=os.getpid(), secret=opened.secret)
        appfile.write(config.data_dir, left)
        stack.callback(appfile.remove, config.data_dir, left)
        yield opened


def _offer(opened: Runtime, provider: Provider | None) -> None:
    """Let people sign in at the other provider. Raises `ConfigError` if none is."""
    if provider is None:
        raise ConfigError('auth.mode = "oidc" cannot be used here')
    provider.check()
    opened.provider_url, opened.provider_end = provider.url, provider.end


def _supervisor(opened: Runtime) -> Supervisor:
    # A lock tells what reports and process ids cannot: a killed tagger's last report
    # is fresh for a while, and the id of one in another container means nothing here.
    return Supervisor(
        opened.notices,
        other_alive=lambda: presence.has_tagger(opened.config.data_dir),
    )


def _warm(modules: Sequence[str]) -> None:
    """Import now what the first page would, and exempt it from every collection.

    Streamlit collects garbage after each script run; over everything imported here
    that would take 140 ms each time.
    """
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


def refuse_believing(environ: Mapping[str, str]) -> None:
    """Raise `ConfigError` where the server would believe whoever says who they are.

    It puts a client that others name in their place; whom to believe is asked here.
    """
    name = "FORWARDED_ALLOW_IPS"
    if environ.get(name) not in (None, "", "127.0.0.1"):
        raise ConfigError(
            f"{name}={environ[name]} has the server below this app believe what others "
            "say of who asks: unset it. The setting auth.trusted_proxies names the "
            "proxies to believe"
        )


def ignored_address(environ: Mapping[str, str], bound: Bound) -> str | None:
    """A sentence naming HOST or PORT of the environment if the app is not there."""
    wanted = {"HOST": bound.host, "PORT": str(bound.port)}
    ignored = [
        f"{name}={environ[name]}"
        for name, used in wanted.items()
        if environ.get(name) and environ[name] != used
    ]
    if not ignored:
        return None
    verb = "is" if len(ignored) == 1 else "are"
    return (
        f"{' and '.join(ignored)} {verb} ignored under `streamlit run`: the app is at "
        f"{bound.url}. Use `python -m tagger serve`, or the flags --server.address "
        "and --server.port."
    )


class PlainStartupErrors:
    """ASGI layer: a start that fails for a reason of ours is told in one line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plainly(message: Message) -> None:
            error = sys.exception()  # Starlette reports from within its handler
            if message["type"] == _FAILED and isinstance(error, TaggerError):
                message = {**message, "message": str(error)}
            await send(message)

        is_lifespan = scope["type"] == "lifespan"
        await self.app(scope, receive, send_plainly if is_lifespan else send)
