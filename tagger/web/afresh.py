"""Afresh: each request begins with nobody known, and nothing on record.

A server may start one with what the one before it on the same connection left behind:
where a body was held back until it was asked for, or both came at once. Behind a proxy
the one before is another person's.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from tagger import acting


class Afresh:
    """The ASGI layer around all that asks who acts."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with acting.as_person(None), acting.off_record():
            await self.app(scope, receive, send)
