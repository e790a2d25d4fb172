"""API: which methods a path answers to; any other gets a 405 that names them.

Asked before a route is looked for: a router names the methods of one route only, and
would take `/tags/merge` for a tag called "merge" wherever the method is another.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from tagger.web.problems import problem_response


class Methods:
    """ASGI layer around the API; `paths` are those of its OpenAPI document."""

    def __init__(self, app: ASGIApp, paths: Mapping[str, Mapping[str, Any]]) -> None:
        self.app = app
        # Those without a number in them first: they are meant where both would fit.
        self._table = [
            (_pattern(path), tuple(sorted(method.upper() for method in paths[path])))
            for path in sorted(paths, key=lambda path: path.count("{"))
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = self._methods(scope) if scope["type"] == "http" else None
        if known is None or scope["method"] in known:
            await self.app(scope, receive, send)
            return
        allow = ", ".join(known)
        method = scope["method"][:20]
        refused = problem_response(
            405,
            f"There is no {method} here; this path takes {allow}.",
            {"allow": allow},
        )
        await refused(scope, receive, send)

    def _methods(self, scope: Scope) -> tuple[str, ...] | None:
        """The methods of the path that is asked for; None where it is none of these."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        found = (methods for known, methods in self._table if known.fullmatch(path))
        return next(found, None)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))
