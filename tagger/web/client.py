"""The command line's way to the running app: search, export, SQL, rebuild, restore.

DuckDB lets one process open the catalogue, so while an app runs only it can answer.
`App.find` believes `data/app.json` only when the process lives and what answers at its
address proves that it knows the same secret.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from tagger.errors import DataError, QueryError, SqlError, UsageError
from tagger.outfiles import replacing
from tagger.web import appfile
from tagger.web.appfile import AppFile
from tagger.web.backups import Restored
from tagger.web.processes import is_alive

_FIND_S = 5.0
_PAGE = 500
_ASK = httpx.Timeout(120.0, connect=_FIND_S)
# The app ends what takes too long by its own settings.
_ASK_LONG = httpx.Timeout(None, connect=_FIND_S)


@dataclass(frozen=True, slots=True)
class Found:
    """One photo a search found, best first."""

    id: int
    path: str
    description: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The photos found, and the query answered: that asked for, or the nearest."""

    photos: list[Found]
    query: str


class App:
    """A running app of this data folder; use as a context manager."""

    def __init__(self, left: AppFile, *, transport: httpx.BaseTransport | None = None):
        self.url = left.url
        # The app is on this machine: no proxy of the environment stands between.
        self._http = httpx.Client(
            base_url=left.url,
            headers={
                "Authorization": f"Bearer {left.secret}",
                "Accept-Encoding": "identity",  # progress lines must not be held back
            },
            timeout=_ASK,
            transport=transport,
            trust_env=False,
        )

    @classmethod
    def find(cls, data_dir: Path) -> "App | None":
        """The app that runs on this data folder, or None."""
        left = appfile.read(data_dir)
        if left is None or not is_alive(left.pid) or not _proves(left):
            return None
        return cls(left)

    def search(self, query: str, *, limit: int = 50) -> Answer:
        """The photos that match, best first; raises `QueryError` on a bad query."""
        found: list[Found] = []
        asked: dict[str, str | int] = {"q": query}
        while len(found) < limit:
            asked["limit"] = min(limit - len(found), _PAGE)
            page = self._get("/api/search", **asked).json()
            found += [_found(image) for image in page["images"]]
            asked["q"] = page["query"]
            if page["next"] is None:
                break
            asked["after"] = page["next"]
        return Answer(found, str(asked["q"]))

    def export(
        self, out: Path, *, format: str, query: str = "", formula_safe: bool = True
    ) -> None:
        """Write the matching photos to `out`, which is replaced only when complete."""
        asked: dict[str, Any] = {
            "format": format,
            "q": query,
            "formula_safe": int(formula_safe),
        }
        with (
            self._stream("GET", "/api/export", **asked) as response,
            replacing(out) as file,
        ):
            for chunk in response.iter_bytes():
                file.write(chunk)

    def duplicates(self, **asked: str | int) -> dict[str, Any]:
        """Some groups of photos that are alike, as `GET /api/duplicates` gives them."""
        page: dict[str, Any] = self._get("/api/duplicates", **asked).json()
        return page

    def suggestions(self, **asked: str | int) -> dict[str, Any]:
        """Tags that are probably one, as `GET /api/tags/suggestions` gives them."""
        page: dict[str, Any] = self._get("/api/tags/suggestions", **asked).json()
        return page

    def facets(
        self, query: str, *, by: Sequence[str], limit: int, models: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """The matching photos counted, one table for each of `by`."""
        asked: dict[str, str | int | list[str]] = {"q": query, "limit": limit}
        asked |= {"by": [*by], "model": [*models]}
        found: list[dict[str, Any]] = self._get("/api/facets", **asked).json()
        return found

    def sql(self, text: str) -> dict[str, Any]:
        """What a question in SQL found; raises `SqlError` on a bad one."""
        answer: dict[str, Any] = self._post("/api/sql", {"sql": text}).json()
        return answer

    def sql_file(
        self, text: str, out: BinaryIO, *, format: str, formula_safe: bool = True
    ) -> bool:
        """Write the same to a file; answers whether it has as many rows as it may."""
        asked = {"sql": text, "format": format, "formula_safe": formula_safe}
        with self._stream("POST", "/api/sql/file", asked) as response:
            for chunk in response.iter_bytes():
                out.write(chunk)
            return bool(response.headers.get("x-full") == "1")

    def compare(self, **wanted: Any) -> dict[str, Any]:
        """Put a comparison down, as `POST /api/comparisons` takes it."""
        made: dict[str, Any] = self._post("/api/comparisons", wanted).json()
        return made

    def comparison(self, comparison_id: int) -> dict[str, Any]:
        """A comparison with its answers and numbers."""
        found: dict[str, Any] = self._get(f"/api/comparisons/{comparison_id}").json()
        return found

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Have catalogue, search index and thumbnails made anew."""
        with self._stream("POST", "/api/rebuild") as response:
            for line in response.iter_lines():
                said = json.loads(line)
                if "problem" in said:
                    raise DataError(said["problem"])
                if progress is not None and "done" in said:
                    progress(said["done"], said["total"])

    def restore(self, path: Path, *, with_settings: bool) -> Restored:
        """Have a backup put back."""
        body = {"path": str(path), "with_settings": with_settings}
        return Restored(**self._post("/api/restore", body).json())

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get(self, path: str, **params: str | int | list[str]) -> httpx.Response:
        try:
            response = self._http.get(path, params=params)
        except httpx.HTTPError as error:
            raise _gone(error) from error
        _raise_problem(response)
        return response

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            response = self._http.post(path, json=body, timeout=_ASK_LONG)
        except httpx.HTTPError as error:
            raise _gone(error) from error
        _raise_problem(response)
        return response

    @contextmanager
    def _stream(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        **params: str | int,
    ) -> Iterator[httpx.Response]:
        how: dict[str, Any] = {"params": params}
        if body is not None:
            how = {"json": body, "timeout": _ASK_LONG}
        try:
            with self._http.stream(method, path, **how) as response:
                if response.is_error:
                    response.read()
                _raise_problem(response)
                yield response
        except httpx.HTTPError as error:
            raise _gone(error) from error


def _found(image: dict[str, Any]) -> Found:
    return Found(
        id=image["id"],
        path=image["path"],
        description=image["description"],
        tags=tuple(tag["name"] for tag in image["tags"]),
    )


def _proves(left: AppFile) -> bool:
    """Whether what answers at the address knows the secret; it is not told it."""
    nonce = secrets.token_urlsafe(16)
    try:
        answer = httpx.get(
            f"{left.url}/api/health",
            params={"nonce": nonce},
            timeout=_FIND_S,
            trust_env=False,
        )
        return answer.is_success and hmac.compare_digest(
            answer.json()["proof"] or "", appfile.proof(left.secret, nonce)
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False


def _raise_problem(response: httpx.Response) -> None:
    """Turn a problem the app names into the error it was there."""
    if not response.is_error:
        return
    problem: Any = {}
    try:
        problem = response.json()
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"the app answered {response.status_code} {response.reason_phrase}"
    if "column" in problem:
        raise QueryError(problem["query"], problem["column"], problem["advice"])
    if "pointer" in problem:
        raise SqlError(detail, problem["pointer"])
    raise UsageError(detail) if response.is_client_error else DataError(detail)


def _gone(error: httpx.HTTPError) -> DataError:
    return DataError(f"the running app stopped answering: {error}")
