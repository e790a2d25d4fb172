"""Signing in: who gets in and how, for how long, and who never does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tagger import acting, config, passwords
from tagger.acting import Person, Role
from tagger.errors import ConfigError, Forbidden, UsageError
from tagger.tracking import audit, signins, tokens, users
from tagger.web import assembly, origin, serve, signin, tries
from tagger.web.guard import COOKIE, VISIT
from tagger.web.lifespan import Bound
from tagger.web.people import Known
from tests.support_people import PASSWORD, everyone, someone
from tests.support_web import Library, handshake, library, served, settings_file

PAGE = {"Accept": "text/html"}
ADD = "python -m tagger users add NAME --role admin"


@pytest.fixture
def settings() -> str:
    return ""


@pytest.fixture
def photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path, settings)))
    signin.forget_tries()
    with library(tmp_path) as made:
        yield made


@pytest.fixture
def api(photos: Library) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def sign_in(api: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    fields = {"name": name, "password": password, **more}
    return api.post("/signin", data=fields)


# Without users


def test_who_sits_at_the_machine_needs_no_sign_in_while_there_are_no_users(
    api: httpx.Client,
) -> None:
    assert api.get("/api/folders").is_success
    assert api.get("/signin", headers=PAGE).headers["location"] == "/"


@pytest.mark.parametrize(
    "header",
    [
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
        *("X-Forwarded-User", "x-forwarded-anything", "Via", "X-Real-IP"),
    ],
)
def test_a_proxy_in_front_makes_nobody_an_admin(api: httpx.Client, header: str) -> None:
    for value in ("127.0.0.1", "for=127.0.0.1", "http"):
        answer = api.get("/api/folders", headers={header: value})
        assert answer.status_code == 403
        assert ADD in answer.json()["detail"]
    assert handshake(str(api.base_url), **{header: "127.0.0.1"}) == 403


@pytest.mark.parametrize("host", ["192.168.1.5", "10.0.0.1:8501", "[fe80::1]"])
def test_another_address_of_the_machine_is_not_sitting_at_it(
    api: httpx.Client, host: str
) -> None:
    answer = api.get("/api/folders", headers={"Host": host})

    assert answer.status_code == 403
    assert ADD in answer.json()["detail"]


def test_nobody_is_let_in_on_a_network_while_there_are_no_users(
    photos: Library,
) -> None:
    with served(bound="0.0.0.0") as api:
        for host in ("localhost", "127.0.0.1", "192.168.1.5"):
            answer = api.get("/api/folders", headers={"Host": host})
            assert answer.status_code == 403
            assert ADD in answer.json()["detail"]


def test_the_app_listens_beyond_this_machine_only_with_an_admin() -> None:
    settings = config.check({})
    for host in ("0.0.0.0", "::", "192.168.1.5"):
        with pytest.raises(ConfigError, match=ADD):
            serve.refuse_strangers(settings, host, has_admin=False)
        serve.refuse_strangers(settings, host, has_admin=True)
    for host in ("127.0.0.1", "::1", "localhost"):
        serve.refuse_strangers(settings, host, has_admin=False)
    opened = config.check({"auth": {"mode": "open"}})
    serve.refuse_strangers(opened, "0.0.0.0", has_admin=False)
    with pytest.raises(ConfigError, match="give an address"):
        serve.refuse_strangers(settings, "photos.example.org", has_admin=True)


@pytest.mark.parametrize("settings", ['[auth]\nmode = "open"\nhosts = ["photos.lan"]'])
def test_open_means_open_until_there_is_a_user(photos: Library) -> None:
    with served(bound="0.0.0.0") as api:
        for host in ("192.168.1.5", "photos.lan:8501"):
            assert api.get("/api/folders", headers={"Host": host}).is_success
        assert api.get("/api/folders", headers={"Host": "evil.lan"}).status_code == 403
        someone(photos.opened, Role.ADMIN)
        assert api.get("/api/folders").status_code == 401


# With users


def test_signing_in_goes_on_where_one_was_headed(
    api: httpx.Client, photos: Library
) -> None:
    someone(photos.opened, Role.ADMIN, "Anna")
    headed = api.get("/gallery?q=dog%20beach", headers=PAGE)
    assert headed.status_code == 303
    assert headed.headers["location"] == (
        "/signin?next=" + quote("/gallery?q=dog%20beach", safe="")
    )

    answer = sign_in(api, "ANNA", PASSWORD, next="/gallery?q=dog%20beach")

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/gallery?q=dog%20beach",
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie  # this connection is not, and it would be lost
    assert api.get("/api/folders").is_success
    assert handshake(str(api.base_url), Cookie=f"{COOKIE}={api.cookies[COOKIE]}") == 101
    assert api.get("/signin").headers["location"] == "/"


def test_the_cookie_of_an_encrypted_connection_stays_on_such(
    api: httpx.Client, photos: Library
) -> None:
    someone(photos.opened, Role.ADMIN)
    fields = {"name": "admin", "password": PASSWORD}
    # The server itself believes a proxy on this machine.
    answer = api.post("/signin", data=fields, headers={"X-Forwarded-Proto": "https"})

    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "path",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\evil", "x"),
        *("/\tevil", "javascript:alert(1)", "/signin?next=/", "/signout", ""),
    ],
)
def test_signing_in_leads_nowhere_else(
    api: httpx.Client, photos: Library, path: str
) -> None:
    someone(photos.opened, Role.ADMIN)

    assert sign_in(api, "admin", PASSWORD, next=path).headers["location"] == "/"


def test_a_wrong_name_is_told_like_a_wrong_password(
    api: httpx.Client, photos: Library
) -> None:
    someone(photos.opened, Role.ADMIN)
    users.add(photos.opened.db, "proxied", role=Role.ADMIN, password=None)

    answers = [
        sign_in(api, name, password)
        for name, password in [
            ("admin", "wrong"),
            ("nobody", PASSWORD),
            ("proxied", ""),
            ("proxied", "None"),
            ("", ""),
        ]
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert all(signin.WRONG in answer.text for answer in answers)
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_what_is_typed_is_text(api: httpx.Client, photos: Library) -> None:
    someone(photos.opened, Role.ADMIN)
    hostile = '"><script>alert(1)</script>'

    for page in (
        sign_in(api, hostile, "x", next=f"/{hostile}"),
        api.get("/signin", params={"next": f"/{hostile}"}),
    ):
        assert "<script" not in page.text
        assert "script-src" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_form_of_another_site_signs_nobody_in(
    api: httpx.Client, photos: Library
) -> None:
    someone(photos.opened, Role.ADMIN)
    fields = {"name": "admin", "password": PASSWORD}
    foreign = {"Origin": "https://evil.example"}

    assert api.post("/signin", data=fields, headers=foreign).status_code == 403
    assert api.post("/signout", headers=foreign).status_code == 403


@pytest.mark.slow
def test_ten_thousand_tries_open_nothing_and_cost_little(
    api: httpx.Client, photos: Library
) -> None:
    someone(photos.opened, Role.ADMIN)
    statuses = [
        sign_in(api, "admin", f"guess {n}").status_code
        for n in range(tries.MOST_FROM_ADDRESS)
    ]
    assert set(statuses) == {401}

    late = [sign_in(api, f"admin{n % 7 or ''}", f"guess {n}") for n in range(9_990)]

    assert {answer.status_code for answer in late} == {429}
    assert 0 < int(late[0].headers["retry-after"]) <= tries.WINDOW_S + 1
    # Not even the right one, so that a guess is not told from the others.
    assert sign_in(api, "admin", PASSWORD).status_code == 429
    failed = audit.read(photos.opened.db, limit=500)
    assert len(failed) == tries.MOST_FROM_ADDRESS
    assert {entry.outcome for entry in failed} == {"failed"}


def test_one_name_cannot_be_tried_from_everywhere() -> None:
    counted = tries.Tries()
    waits = [counted.begin(f"10.0.0.{n}", "admin") for n in range(tries.MOST_FOR_NAME)]
    assert not any(waits)

    assert counted.begin("10.0.1.1", "admin") > 0
    assert counted.begin("10.0.1.1", "other") == 0.0
    for n in range(tries.MOST_REMEMBERED + 10):
        counted.begin(f"a{n}", f"n{n}")
    assert counted.size <= tries.MOST_REMEMBERED


def test_signing_out_ends_it_for_good(api: httpx.Client, photos: Library) -> None:
    someone(photos.opened, Role.ADMIN)
    sign_in(api, "admin", PASSWORD)
    kept = f"{COOKIE}={api.cookies[COOKIE]}"

    assert api.get("/signout").status_code == 200  # a link alone ends nothing
    assert api.get("/api/folders", headers={"Cookie": kept}).is_success
    answer = api.post("/signout")

    assert answer.headers["location"] == "/signin"
    assert COOKIE not in api.cookies
    assert api.get("/api/folders", headers={"Cookie": kept}).status_code == 401
    assert [entry.what for entry in audit.read(photos.opened.db, limit=5)] == [
        "signed out",
        "signed in",
    ]


def test_a_new_password_signs_everybody_else_out(photos: Library) -> None:
    db, admin = photos.opened.db, someone(photos.opened, Role.ADMIN)
    user = users.called(db, admin.name)
    assert user is not None
    mine, other = (signins.begin(db, user.id, hours=1) for _ in range(2))

    users.set_password(
        db,
        "admin",
        passwords.hashed("another password", name="admin"),
        but=signins.hash_of(mine),
    )

    assert signins.whose(db, signins.hash_of(mine)) == ("admin", Role.ADMIN)
    assert signins.whose(db, signins.hash_of(other)) is None


def test_a_role_that_is_taken_away_is_gone_at_once(
    api: httpx.Client, photos: Library
) -> None:
    known = everyone(photos.opened)
    editor, rename = known[Role.EDITOR], {"name": "x"}

    def status(headers: dict[str, str]) -> int:
        photos.opened.people.forget()  # or a second later
        return api.patch("/api/tags/999", json=rename, headers=headers).status_code

    shown = [dict(editor.cookie), dict(editor.token)]
    assert [status(one) for one in shown] == [404, 404]
    users.set_role(photos.opened.db, "editor", Role.VIEWER)
    assert [status(one) for one in shown] == [403, 403]
    users.remove(photos.opened.db, "editor")
    assert [status(one) for one in shown] == [401, 401]


def test_a_token_may_be_for_less_than_its_owner(
    api: httpx.Client, photos: Library
) -> None:
    someone(photos.opened, Role.ADMIN)
    db = photos.opened.db
    made, secret = tokens.make(db, "Admin", "reader", role=Role.VIEWER, days=1)
    shown = {"Authorization": f"Bearer {secret}"}

    assert api.get("/api/folders", headers=shown).is_success
    assert api.post("/api/folders/scan", headers=shown).status_code == 403
    assert secret not in db.path.read_bytes().decode("latin-1")
    (listed,) = [one for one in tokens.every(db) if one.id == made.id]
    assert listed.used_at is not None
    tokens.revoke(db, made.id)
    photos.opened.people.forget()
    assert api.get("/api/folders", headers=shown).status_code == 401


@pytest.mark.parametrize(
    ("name", "days", "role"),
    [("", 1, None), ("x", 0, None), ("x", 10_000, None), ("x", 1, Role.ADMIN)],
)
def test_a_token_that_cannot_be_is_refused(
    photos: Library, name: str, days: float, role: Role | None
) -> None:
    everyone(photos.opened)

    with pytest.raises(UsageError):
        tokens.make(photos.opened.db, "viewer", name, days=days, role=role)


def test_somebody_always_manages_the_others(photos: Library) -> None:
    db = photos.opened.db
    with pytest.raises(UsageError, match="first user must be an admin"):
        users.add(db, "eve", role=Role.EDITOR, password=None)
    everyone(photos.opened)

    for change in (
        lambda: users.remove(db, "admin"),
        lambda: users.set_role(db, "ADMIN", Role.EDITOR),
    ):
        with pytest.raises(UsageError, match="only admin"):
            change()
    with pytest.raises(UsageError, match="already"):
        users.add(db, " Admin ", role=Role.VIEWER, password=None)
    assert users.has_admin(db)


# Proxies that sign people in

PROXIED = '[auth]\nmode = "proxy"\ntrusted_proxies = ["{}"]\ndefault_role = "{}"'


@pytest.mark.parametrize("settings", [PROXIED.format("127.0.0.1", "")])
def test_a_trusted_proxy_names_who_asks(api: httpx.Client, photos: Library) -> None:
    everyone(photos.opened)

    def status(*names: str) -> int:
        headers = [("X-Forwarded-User", name) for name in names]
        return api.get("/api/audit", headers=headers).status_code

    assert status("Admin") == 200
    assert status("viewer") == 403
    assert status("stranger") == status("") == status() == 401
    assert status("admin", "viewer") == status("viewer", "admin") == 401


@pytest.mark.parametrize("settings", [PROXIED.format("10.9.8.7", "viewer")])
def test_nobody_else_is_believed(api: httpx.Client, photos: Library) -> None:
    everyone(photos.opened)
    for more in ({}, {"X-Forwarded-For": "10.9.8.7"}, {"Forwarded": "for=10.9.8.7"}):
        headers = {"X-Forwarded-User": "admin", **more}
        assert api.get("/api/folders", headers=headers).status_code == 401


@pytest.mark.parametrize("settings", [PROXIED.format("127.0.0.0/8", "viewer")])
def test_whom_only_the_proxy_knows_may_do_what_the_setting_says(
    api: httpx.Client,
) -> None:
    shown = {"X-Forwarded-User": "stranger"}

    assert api.get("/api/folders", headers=shown).is_success
    assert api.post("/api/folders/scan", headers=shown).status_code == 403
    assert api.get("/api/folders").status_code == 401


def test_who_asks_is_told_by_trusted_proxies_alone() -> None:
    networks = config.check(
        {"auth": {"trusted_proxies": ["10.0.0.0/8", "::1"]}}
    ).auth.trusted_proxies

    def client(peer: str, *told: str) -> str:
        scope = {
            "type": "http",
            "client": (peer, 4711),
            "headers": [(b"x-forwarded-for", one.encode()) for one in told],
        }
        return origin.client_of(scope, Headers(scope=scope), networks)

    assert client("192.168.1.9", "1.2.3.4") == "192.168.1.9"
    assert client("10.0.0.1", "6.6.6.6, 1.2.3.4") == "1.2.3.4"
    assert client("10.0.0.1", "6.6.6.6", "1.2.3.4, 10.0.0.2") == "1.2.3.4"
    assert client("10.0.0.1", "nonsense") == "10.0.0.1"
    assert client("::1", "") == "::1"
    assert client("::ffff:10.0.0.1", "1.2.3.4") == "1.2.3.4"


def test_whom_a_proxy_here_names_did_not_connect() -> None:
    def peer(client: tuple[str, int], *told: str) -> str:
        headers = [(b"x-forwarded-for", one.encode()) for one in told]
        return origin.peer_of({"type": "http", "client": client, "headers": headers})

    assert peer(("10.9.8.7", 0), "10.9.8.7") == "127.0.0.1"
    assert peer(("10.9.8.7", 1234), "10.9.8.7:1234") == ""
    assert peer(("fe80::1", 1234), "1.1.1.1, [fe80::1]:1234") == ""
    assert peer(("10.9.8.7", 1234), "1.2.3.4") == "10.9.8.7"
    assert peer(("10.9.8.7", 1234), "10.9.8.7") == "10.9.8.7"
    assert peer(("10.9.8.7", 1234), "fe80::1", "unknown") == "10.9.8.7"
    assert peer(("10.9.8.7", 1234)) == "10.9.8.7"


def test_what_only_the_guard_may_say_is_taken_from_requests(
    api: httpx.Client, photos: Library
) -> None:
    known = everyone(photos.opened)
    key = photos.opened.people.arrive(Known("named", "admin"))

    for name in ("X-Tagger-Visit", "x-tagger-visit", "X-TAGGER-ROLE"):
        headers = {**known[Role.VIEWER].cookie, name: key}
        assert api.post("/api/folders/scan", headers=headers).status_code == 403


# What is done goes on record


def test_what_is_changed_by_the_api_is_in_the_log(
    api: httpx.Client, photos: Library
) -> None:
    photo = photos.photo("one.jpg", "dog")
    known = everyone(photos.opened)
    headers = dict(known[Role.EDITOR].token)

    api.patch(f"/api/images/{photo}", json={"description": "Mine."}, headers=headers)
    api.patch("/api/images/999", json={"description": "Mine."}, headers=headers)
    api.post("/api/folders/scan", headers=headers)

    admin = dict(known[Role.ADMIN].cookie)
    page = api.get("/api/audit", params={"limit": 1}, headers=admin).json()
    rest = api.get("/api/audit", params={"before": page["next"]}, headers=admin).json()
    found = [*page["entries"], *rest["entries"]]
    assert [(one["who"], one["way"], one["what"]) for one in found] == [
        ("editor", "api", "change image"),
        ("editor", "api", "change image"),
    ]
    assert found[0]["outcome"].startswith(("refused", "failed"))
    assert found[1]["outcome"] == "done"
    assert found[1]["detail"]["description"] == "Mine."
    assert rest["next"] is None


def test_settings_go_on_record_without_their_passwords(
    api: httpx.Client, photos: Library
) -> None:
    url = "http://me:hidden-word@127.0.0.1:1"
    change = {"config": {"semantic": {"url": url}}}

    assert api.post("/api/settings/config", json=change).is_success

    (entry,) = audit.read(photos.opened.db, limit=5)
    assert (entry.who, entry.what) == ("this machine", "save config")
    assert "hidden-word" not in str(entry.detail)


@pytest.mark.parametrize("role", Role)
def test_nobody_writes_off_the_record(photos: Library, role: Role) -> None:
    with (
        acting.as_person(Person("someone", role, "screen")),
        pytest.raises(Forbidden, match="nothing was changed"),
        photos.opened.db.write(),
    ):
        pass


@pytest.mark.parametrize(
    "change",
    [
        lambda db: users.add(db, "x" * 65, role=Role.ADMIN, password=None),
        lambda db: users.add(db, "a\nb", role=Role.ADMIN, password=None),
        lambda db: users.add(db, "  ", role=Role.ADMIN, password=None),
        lambda _: passwords.hashed("short", name="x"),
        lambda _: passwords.hashed("The Name Itself", name="the name itself"),
    ],
)
def test_what_is_no_name_or_password_is_refused(
    photos: Library, change: Callable[[object], object]
) -> None:
    with pytest.raises(UsageError):
        change(photos.opened.db)


def test_a_screen_that_stands_open_is_closed_to_who_is_let_in_no_more(
    photos: Library,
) -> None:
    seen: list[tuple[str, str | None]] = []

    async def screen(socket: WebSocket) -> None:
        visit = socket.headers.get(VISIT)
        known = photos.opened.people.visiting(visit)
        await socket.accept()
        async for text in socket.iter_text():
            seen.append((text, known.kind if known else None))
            await socket.send_text(text)

    app = Starlette(
        routes=[WebSocketRoute("/_stcore/stream", screen)],
        middleware=assembly.middleware(config.check({}), Bound("127.0.0.1", 1)),
    )
    known = everyone(photos.opened)
    with served(app) as api:
        url = str(api.base_url).replace("http", "ws") + "/_stcore/stream"
        headers = {**known[Role.VIEWER].cookie, "X-Tagger-Visit": "made up"}
        with connect(url, additional_headers=headers, proxy=None) as open_screen:
            open_screen.send("first")
            assert open_screen.recv(timeout=10) == "first"
            users.remove(photos.opened.db, "viewer")
            photos.opened.people.forget()
            open_screen.send("second")
            with pytest.raises(ConnectionClosed):
                open_screen.recv(timeout=10)

    assert seen == [("first", "signin")]
    assert not photos.opened.people.visits


@pytest.fixture
def admin(photos: Library, api: httpx.Client) -> dict[str, str]:
    return dict(someone(photos.opened, Role.ADMIN).token)


def test_from_elsewhere_folders_are_added_only_below_roots(
    api: httpx.Client, admin: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()

    answer = api.post("/api/folders", json={"path": str(other)}, headers=admin)

    assert answer.status_code == 422
    assert "library.roots" in answer.json()["detail"]


def test_from_elsewhere_no_mirror_is_put_anywhere(
    api: httpx.Client, admin: dict[str, str], photos: Library, tmp_path: Path
) -> None:
    answer = api.patch(
        f"/api/folders/{photos.folder_id}",
        json={"write_mode": "mirror", "mirror": str(tmp_path / "anywhere")},
        headers=admin,
    )

    assert answer.status_code == 403
    assert "at the machine itself" in answer.json()["detail"]
    assert not (tmp_path / "anywhere").exists()
