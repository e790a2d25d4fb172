"""Comparing: comparisons are made of a query or of chosen photos, and put into force.

Making the winner the setting goes through the settings file as any edit does: it is
checked as a whole, keeps the file's comments, and refuses what a variable holds.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from tagger.catalogue import questions
from tagger.catalogue.wanted import Wanted
from tagger.config import Config
from tagger.errors import UsageError
from tagger.records import ServerState
from tagger.sections import BUILTIN, Server
from tagger.tracking import agreement, comparisons
from tagger.tracking.agreement import Result
from tagger.tracking.contested import Contender, Whole, Wish
from tagger.vision import contending
from tagger.web import runtime, servers, settings
from tagger.web.runtime import Runtime
from tagger.web.settings import Saved

_ASKED = ("language", "tags_min", "tags_max", "extra_instruction")


def wish(config: Config, *, server: str, model: str = "", **asked: Any) -> Wish:
    """Somebody to be asked; what is not said is as in the settings.

    Raises `UsageError` for a server there is not, or a value that is no good.
    """
    given = {key: value for key, value in asked.items() if value is not None}
    if server == BUILTIN:
        model, given = BUILTIN, {}
    else:
        found = contending.server_called(config, server)
        model = " ".join(model.split()) or found.model
    what = contending.settings(config.model, given)
    return Wish(
        server=server, model=model, **{name: getattr(what, name) for name in _ASKED}
    )


def sample(opened: Runtime, query: str, count: int) -> list[int]:
    """Photos that a query finds, at most `count`, chosen by chance; oldest first.

    Raises `QueryError`, and `UsageError` if there are none.
    """
    found = questions.ids(opened.catalogue, Wanted(query=query))
    if not found:
        raise UsageError(
            f"no photo fits {query}; a comparison needs some"
            if query.strip()
            else "there are no photos yet; add a folder first"
        )
    if not 1 <= count <= comparisons.MOST_PHOTOS:
        raise UsageError(
            f"a comparison takes 1 to {comparisons.MOST_PHOTOS} photos, not {count}"
        )
    return sorted(random.sample(list(found), min(count, len(found))))


def make(
    opened: Runtime,
    wishes: Sequence[Wish],
    *,
    query: str = "",
    ids: Sequence[int] = (),
    count: int = comparisons.FEW_PHOTOS,
) -> int:
    """Put a comparison down, of these photos or of a sample; its id.

    Raises `UsageError` and `QueryError`.
    """
    photos = list(ids) or sample(opened, query, count)
    of = "chosen photos" if ids else query.strip() or "all photos"
    models = ", ".join(dict.fromkeys(one.model for one in wishes))
    return comparisons.make(
        opened.db, name=f"{models}: {of}", photos=photos, wishes=wishes
    )


def result(opened: Runtime, whole: Whole) -> Result:
    """What it comes to, beside the tags that its photos have now."""
    cards = questions.cards(opened.catalogue, whole.comparison.photos)
    return agreement.result(whole, {card.id: card.tags for card in cards})


def offered(server: str) -> ServerState:
    """What stands with a server of the settings, and which models it has, asked now."""
    config = runtime.current().config
    return servers.check(contending.server_called(config, server).model_dump())


def prefer(opened: Runtime, contender: Contender) -> Saved:
    """Have photos described from now on as this contender did it.

    Raises `UsageError` and `ConfigError`; the settings are as they were then.
    """
    saved = settings.save(changes(opened.config, contender))
    opened.apply(saved.config)
    return saved


def changes(config: Config, contender: Contender) -> Mapping[str, Any]:
    """What has to change in the settings for that.

    Other servers stay for the folders bound to them: unless they have the same model,
    their weight becomes 0. The built-in model has no prompt to be set.
    """
    if contender.server == BUILTIN:
        return {"model": {"backend": BUILTIN}}
    winner = contending.server_called(config, contender.server)
    asked = {name: getattr(contender, name) for name in _ASKED}
    listed = [_server(one, winner, contender.model) for one in config.servers]
    fits = config.model.backend in ("auto", winner.kind)
    backend = config.model.backend if fits else "auto"
    return {"model": {"backend": backend, **asked}, "servers": listed}


def _server(one: Server, winner: Server, model: str) -> dict[str, Any]:
    values = one.model_dump(mode="json")
    if one is winner:
        return {**values, "model": model, "weight": one.weight or 1.0}
    return values if one.model == model else {**values, "weight": 0.0}
