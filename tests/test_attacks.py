"""Requests bent out of shape, sent as bytes: nobody gets further than by the door.

What a viewer may not do, and what nobody may see, is asked for in every spelling and
with every header that servers and proxies have been known to take otherwise.
"""

import json
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tagger import acting, config
from tagger.acting import Role
from tagger.errors import Forbidden
from tagger.web import assembly, runtime
from tagger.web.lifespan import Bound
from tests.support_people import Someone, everyone, someone
from tests.support_sockets import answered, host, request, statuses
from tests.support_web import Library, handshake, library, served, settings_file
from tests.test_roles import everything

METHODS = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"),
    *("QUERY", "get", "PROPFIND", "MOVE"),
)
# `{}` is the path below `/api/`.
SPELLINGS = (
    *("/api/{}", "/api/{}/", "//api//{}", "/api//{}", "/./api/./{}", "/API/{}"),
    *("http://evil.example/api/{}", "http://{{host}}/api/{}", "//evil.example/api/{}"),
    *("/api/../api/{}", "/api/%2e%2e/api/{}", "/api/..%2fapi/{}", "/api/x/../{}"),
    *("/api;x/{}", "/api/{};x", "/api/;/{}", "/api%2f{}", "/api%252f{}", "/%61pi/{}"),
    *("/api/{}%00", "/api/%00/{}", "/api/{}%20", "/api/{}.json", "/api\\{}"),
    *("/api/{}?x=1#y", "/api/{}#", "/api/%ef%bc%8f{}", "/api/{}%0d%0aHost:%20x"),
    *("/api/health/../{}", "/api/health%2f..%2f{}", "/api/health;/{}"),
    *("/signin/../api/{}", "/signin/%2e%2e/api/{}", "/_stcore/health/../../api/{}"),
    *("/app/static/../../api/{}", "/app/static/%2e%2e/%2e%2e/api/{}"),
    *("/api/assets/../{}", "/api/assets/%2e%2e/{}", "/api/assets/..%5c{}"),
    *("/thumbnails/../api/{}", "/api/docs/../{}", "*", "{}", "evil.example:443"),
)
OVERRIDES = (
    *("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"),
    "X-Original-Method",
)
DETOURS = (
    *("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Accel-Redirect"),
    *("X-Forwarded-Prefix", "X-Script-Name", "X-Sendfile", "Destination"),
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("attacks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGGER_CONFIG", str(settings_file(folder)))
        patch.setenv("TAGGER_DATA_DIR", str(folder / "data"))
        with library(folder) as made:
            made.photo("one.jpg", "dog", "beach")
            yield made


@pytest.fixture(autouse=True)
def _own_settings(photos: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """If anything got through, it would change settings of this test only."""
    path = photos.root.parent / "config.toml"
    monkeypatch.setenv("TAGGER_CONFIG", str(path))
    assert config.config_path() == path


@pytest.fixture(scope="module")
def people(photos: Library) -> dict[Role, Someone]:
    return everyone(photos.opened)


@pytest.fixture(scope="module")
def api(photos: Library, people: dict[Role, Someone]) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def shown(api: httpx.Client, who: Someone | None, *more: str) -> list[tuple[str, str]]:
    """The headers of somebody's request, the last one on its connection."""
    headers = [("Host", host(api)), ("Connection", "close")]
    if who is not None:
        headers += who.token.items()
    return headers + [(name, "x") for name in more]


def secrets_of(photos: Library) -> tuple[bytes, ...]:
    """What only some may see: the audit log, settings, and where photos are."""
    return b'"entries"', b'"overridden"', str(photos.root).encode()


def test_an_admin_is_shown_what_others_are_not(
    api: httpx.Client, photos: Library, people: dict[Role, Someone]
) -> None:
    """So that the tests below look for what there is."""
    headers = shown(api, people[Role.ADMIN])
    paths = ("audit", "settings/config", "folders")
    for path, secret in zip(paths, secrets_of(photos), strict=True):
        assert secret in answered(api, request("GET", f"/api/{path}", headers))


def test_no_spelling_of_a_path_shows_nobody_anything(
    api: httpx.Client, photos: Library
) -> None:
    for path in ("folders", "settings/config", "images/1"):
        for spelling in SPELLINGS:
            target = spelling.format(path).replace("{host}", host(api))
            for method in METHODS:
                said = answered(api, request(method, target, shown(api, None)))
                assert not any(one in said for one in secrets_of(photos)), target
                assert len(statuses(said)) == 1, (target, method)
                assert statuses(said)[0] < 500, (target, method)


def test_no_spelling_of_a_path_lets_a_viewer_do_more(
    api: httpx.Client, photos: Library, people: dict[Role, Someone]
) -> None:
    body = b'{"name": "mine", "query": "dog"}'
    headers = [
        *shown(api, people[Role.VIEWER]),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    ]
    before = everything(photos)
    for path in ("audit", "settings/config", "queue/pause", "searches"):
        for spelling in SPELLINGS:
            target = spelling.format(path).replace("{host}", host(api))
            for method in METHODS:
                said = answered(api, request(method, target, headers, body))
                assert not any(one in said for one in secrets_of(photos)[:2]), target
                assert len(statuses(said)) == 1, (target, method)
                assert statuses(said)[0] < 500, (target, method)
    assert everything(photos) == before
    assert (api.get("/api/queue", headers=people[Role.VIEWER].token).json())[
        "paused_at"
    ] is None


def test_no_header_makes_another_request_of_it(
    api: httpx.Client, photos: Library, people: dict[Role, Someone]
) -> None:
    before = everything(photos)
    for who, plain in ((None, 401), (people[Role.VIEWER], 200)):
        for name in OVERRIDES:
            for method in ("POST", "DELETE", "PUT"):
                headers = [*shown(api, who), (name, method)]
                said = answered(
                    api, request("GET", f"/api/searches?_method={method}", headers)
                )
                assert statuses(said) == [plain]
        for name in DETOURS:
            headers = [*shown(api, who), (name, "/api/audit")]
            said = answered(api, request("GET", "/api/bans", headers))
            assert statuses(said) == [plain]
            assert b'"entries"' not in said
    assert everything(photos) == before


def test_two_of_a_header_are_never_the_better_of_both(
    api: httpx.Client, people: dict[Role, Someone]
) -> None:
    viewer, admin = people[Role.VIEWER], people[Role.ADMIN]
    place = ("Host", host(api))
    evil = ("Host", "evil.example")
    [token], [cookie] = viewer.token.items(), admin.cookie.items()
    forged = ("Authorization", "Bearer imagetagger_made_up")

    def status(*headers: tuple[str, str]) -> list[int]:
        lines = [*headers, ("Connection", "close")]
        return statuses(answered(api, request("GET", "/api/audit", lines)))

    for hosts in ((place, evil), (evil, place), (place, place), ()):
        assert status(*hosts, cookie) in ([400], [403]), hosts
    # Whose token is shown is who asks, whatever a browser adds.
    assert status(place, token, cookie) == [403]
    assert status(place, cookie, token) == [403]
    assert status(place, forged, cookie) == [401]
    assert status(place, forged, token) == [401]
    assert status(place, token, forged) in ([401], [403])
    name, value = cookie
    assert status(place, (name, value), (name, value)) == [401]
    [other] = viewer.cookie.items()
    assert status(place, cookie, other) == [401]


def test_lines_that_are_folded_or_broken_carry_no_header(
    api: httpx.Client, people: dict[Role, Someone]
) -> None:
    [(name, value)] = people[Role.ADMIN].token.items()
    place = f"Host: {host(api)}\r\nConnection: close\r\n"
    for lines in (
        f"{place}X-Note: a\r\n {name}: {value}\r\n",
        f"{place}X-Note: a\r\n\t{name}: {value}\r\n",
        f"{place}X-Note: a\n {name}: {value}\r\n",
        f"{place}{name} : {value}\r\n",
        f"{place}X-{name}: {value}\r\n",
        f"{place}X-Note: a\0{name}: {value}\r\n",
        f"Host: evil.example\r\n {host(api)}\r\n{name}: {value}\r\n",
    ):
        sent = f"GET /api/audit HTTP/1.1\r\n{lines}\r\n"
        said = answered(api, sent.encode(), quiet_s=1)
        assert statuses(said) in ([400], [401], [403]), lines
        assert b'"entries"' not in said


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 40",
        "Content-Length: 4, 40",
        "Content-Length: +4",
        "Content-Length: -4",
        "Content-Length: 0x4",
        "Content-Length: 4\r\nTransfer-Encoding: xchunked",
        "Content-Length: 4\r\nTransfer-Encoding: identity",
        "Content-Length: 4\r\nTransfer-Encoding : chunked",
        "Content-Length: 4\r\n Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    ],
)
def test_a_request_hidden_in_a_body_is_asked_who_it_is_of(
    api: httpx.Client,
    photos: Library,
    people: dict[Role, Someone],
    framing: str,
) -> None:
    """A proxy that reads the length otherwise would have passed it on unseen."""
    [(name, value)] = people[Role.ADMIN].token.items()
    hidden = f"POST /api/queue/pause HTTP/1.1\r\nHost: {host(api)}\r\n\r\n"
    before = everything(photos)
    for body in (
        f"0\r\n\r\n{hidden}",
        f"null{hidden}",
        f"4\r\nnull\r\n0\r\n\r\n{hidden}",
    ):
        sent = (
            f"POST /api/sql HTTP/1.1\r\nHost: {host(api)}\r\n{name}: {value}\r\n"
            f"Content-Type: application/json\r\n{framing}\r\n\r\n{body}"
        )
        said = answered(api, sent.encode(), quiet_s=0.3)
        assert all(400 <= status < 500 for status in statuses(said)), said
        assert set(statuses(said)[1:]) <= {400, 401}, said
    assert everything(photos) == before


def test_a_screen_opens_only_to_who_is_known_and_comes_from_here(
    api: httpx.Client, people: dict[Role, Someone]
) -> None:
    admin, url = people[Role.ADMIN], str(api.base_url)
    own = f"http://{host(api)}"
    cookie, token = dict(admin.cookie), dict(admin.token)

    assert handshake(url, **cookie, Origin=own) == 101
    for headers in (
        *({}, {"Origin": own}, {"Cookie": cookie["Cookie"][:-1] + "!"}),
        *({**cookie, "Origin": one} for one in ("null", "https://evil.example", "")),
        {**cookie, "Origin": own.replace("127.0.0.1", "localhost")},
        {**cookie, "Sec-Fetch-Site": "cross-site"},
        {**cookie, "Host": "evil.example", "Origin": "http://evil.example"},
        {"Authorization": token["Authorization"][:-1], "Origin": own},
        {**cookie, "Authorization": "Bearer made up", "Origin": own},
    ):
        assert handshake(url, **headers) == 403, headers


def test_nothing_is_left_of_who_asked_before_on_a_connection(
    photos: Library, people: dict[Role, Someone]
) -> None:
    """As proxies do, who send everybody's requests over the connections they have."""

    def seen() -> dict[str, object]:
        try:
            with runtime.current().db.write():
                return {"may_write": True}
        except Forbidden:
            return {"may_write": False}

    async def probe(_: Request) -> Response:
        return JSONResponse(seen())

    found: list[acting.Person | None] = []

    async def screen(socket: WebSocket) -> None:
        found.append(acting.person())
        await socket.accept()
        await socket.close()

    app = Starlette(
        routes=[
            Route("/api/probe", probe),
            WebSocketRoute("/_stcore/stream", screen),
            *assembly.routes(),
        ],
        middleware=assembly.middleware(config.check({}), Bound("127.0.0.1", 1)),
    )
    viewer, editor = people[Role.VIEWER], people[Role.EDITOR]
    held_back = json.dumps({"name": "x" * 300_000, "query": "dog"}).encode()
    done = json.dumps({"name": "mine", "query": "dog"}).encode()
    with served(app) as api:
        place = [("Host", host(api))]
        json_ = [*place, ("Content-Type", "application/json"), *editor.token.items()]
        for number, body in enumerate((held_back, done)):
            first = request(
                "PUT",
                "/api/searches",
                [*json_, ("Content-Length", str(len(body)))],
                body,
            )
            # Whose token is used for the first time: that is noted, and so written.
            newcomer = someone(photos.opened, Role.VIEWER, f"newcomer {number}")
            for who in (newcomer, viewer):
                close = [*place, *who.token.items(), ("Connection", "close")]
                said = answered(api, first + request("GET", "/api/probe", close))
                assert statuses(said)[1:] == [200], said
                assert said.endswith(b'{"may_write":false}')
            upgrade = [
                *place,
                *viewer.cookie.items(),
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Sec-WebSocket-Version", "13"),
            ]
            sent = first + request("GET", "/_stcore/stream", upgrade)
            said = answered(api, sent, quiet_s=0.5)
            assert statuses(said)[1:] == [101], said
        # A body that was held back, on a connection that is kept.
        late = someone(photos.opened, Role.VIEWER, "latecomer").token
        headers = {**editor.token, "Content-Type": "application/json"}
        big = api.put("/api/searches", content=held_back, headers=headers)
        assert big.status_code == 422
        for _ in range(2):
            asked = api.get("/api/probe", headers=late)
            assert asked.json() == {"may_write": False}
    assert found == [None, None]
