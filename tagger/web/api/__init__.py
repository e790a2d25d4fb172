"""The REST API: one FastAPI application, mounted at `/api`.

One mount, because Streamlit answers every path it does not know with its own page; so
an unknown path below `/api` is a JSON 404. The documentation page brings its assets
from a package, never from a CDN.
"""

import logging
from http import HTTPStatus
from importlib import resources
from typing import Any, cast

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

import tagger
from tagger.errors import QueryError, SqlError, TaggerError
from tagger.web.api import (
    answers,
    audit,
    backups,
    browse,
    comparisons,
    duplicates,
    edits,
    events,
    facets,
    folders,
    images,
    metrics,
    overview,
    processing,
    queue,
    recording,
    reviews,
    roles,
    searches,
    service,
    settings,
    sheets,
    sql,
    suggestions,
    uploads,
    vocabulary,
)
from tagger.web.api.methods import Methods
from tagger.web.api.models import Problem
from tagger.web.guard import COOKIE
from tagger.web.problems import MEDIA_TYPE, problem_response, status_of

_ASSETS = "assets"
_PROBLEM: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused", "model": Problem},
    "5XX": {
        "description": "A model server, the database or the app itself fails",
        "model": Problem,
    },
}
_UNREADABLE = "There was an error parsing the body"

log = logging.getLogger(__name__)


def make() -> FastAPI:
    """The application, with every route and the handlers of errors."""
    api = FastAPI(
        title="Image Tagger",
        version=tagger.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_PROBLEM,
        dependencies=[Depends(recording.check)],
    )
    for module in (
        # Before `images`, whose numbers would take `search` and `stats` for one.
        overview,
        *(service, events, metrics, processing, queue, images, duplicates, facets),
        *(edits, sheets, vocabulary, suggestions, folders, browse, searches),
        *(settings, sql, answers, comparisons, reviews, backups, uploads, audit),
    ):
        api.include_router(module.router)
    _add_docs(api)
    document = _documented(api)
    api.add_middleware(recording.Recording)
    api.add_middleware(Methods, paths=document["paths"])
    api.add_exception_handler(TaggerError, _tagger_error)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(Exception, _bug)
    return api


def _add_docs(api: FastAPI) -> None:
    static = resources.files("fastapi_offline") / "static"
    api.mount(f"/{_ASSETS}", StaticFiles(directory=str(static)), name=_ASSETS)

    @api.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title="Image Tagger API",
            swagger_js_url=f"{root}/{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}/{_ASSETS}/favicon.png",
        )


def _documented(api: FastAPI) -> dict[str, Any]:
    """The documentation, which says how to come in, and what role each route takes."""
    document = api.openapi()
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "browser": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    document["security"] = [{"token": []}, {"browser": []}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            role = roles.needed(method.upper(), path)
            operation["description"] += f"\n\nTakes the role {role}."
            operation["x-role"] = role.value
            for status in _PROBLEM:
                content = operation["responses"][status]["content"]
                operation["responses"][status]["content"] = {
                    MEDIA_TYPE: content["application/json"]
                }
    document["paths"]["/health"]["get"]["security"] = []
    return document


async def _tagger_error(request: Request, error: Exception) -> Response:
    recording.refused(request, error)
    status = status_of(cast(TaggerError, error))
    if isinstance(error, QueryError):
        return problem_response(
            status,
            str(error),
            query=error.query,
            column=error.column,
            advice=error.advice,
        )
    if isinstance(error, SqlError):
        return problem_response(status, str(error), pointer=error.pointer)
    return problem_response(status, str(error))


async def _invalid(_request: Request, error: Exception) -> Response:
    first = cast(RequestValidationError, error).errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"{place}: {first['msg']}")


async def _http_error(request: Request, error: Exception) -> Response:
    http = cast(HTTPException, error)
    detail = http.detail
    if http.status_code == HTTPStatus.NOT_FOUND and detail == "Not Found":
        detail = f"There is nothing at {request.url.path}."
    if http.status_code == HTTPStatus.BAD_REQUEST and detail == _UNREADABLE:
        detail = "The body is no JSON in UTF-8 that can be read."
    return problem_response(http.status_code, detail, dict(http.headers or {}))


async def _bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The app made a mistake with this request; its log says more.",
    )
