"""What is compressed for browsers, and what leaves as it is."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from tagger import config
from tagger.web import assembly
from tagger.web.lifespan import Bound
from tests.support_web import library, served

LONG = ("A dog on a beach. " * 200).strip()


def test_files_leave_as_they_are_and_pages_are_compressed(tmp_path: Path) -> None:
    layers = assembly.middleware(config.check({}), Bound("127.0.0.1", 8501))
    # As Streamlit's own layers do, this one stands behind ours.
    app = Starlette(
        routes=assembly.routes(), middleware=[*layers, Middleware(GZipMiddleware)]
    )
    with library(tmp_path) as photos, served(app) as web:
        photos.photo("a.jpg", "dog", description=LONG)

        page = web.get("/api/images")
        table = web.get("/api/export")

    assert page.headers["content-encoding"] == "gzip"
    assert page.json()["images"][0]["description"] == LONG
    assert "content-encoding" not in table.headers
    assert LONG in table.text
