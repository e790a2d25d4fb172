"""Packing: which answers are worth compressing, for those who accept that.

Streamlit compresses every answer for browsers. A table of a whole library takes more
processor time for that than for being made, and on a local network nobody would notice:
files to be downloaded leave as they are, and whoever wants it small takes Parquet or
the ZIP.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

FILES = ("/api/export", "/api/sql/file")


class Unpacked:
    """ASGI layer: layers behind it do not hear that a file may be compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(FILES):
            heard = [h for h in scope["headers"] if h[0] != b"accept-encoding"]
            scope = {**scope, "headers": heard}
        await self.app(scope, receive, send)
