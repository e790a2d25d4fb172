"""People share one app: each signs in, sees what their role is for, is on record."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tagger.acting import Role
from tagger.tracking import users
from tagger.tracking.database import Database
from tests.support_people import PASSWORD, kept
from tests.support_screens import WINDOWS, Window, barriers, opened, settled
from tests.support_web import ROOT, AppProcess, app_process, until
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.sqlite]

LIGHT = WINDOWS[0]
HOSTILE = "ed <b>*bold*</b>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shared")
    (made / "photos").mkdir()
    for name in ("chelsea.png", "friends.jpg", "ridge.jpg"):
        shutil.copy(ROOT / "data" / "samples" / name, made / "photos")
    return made


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[AppProcess]:
    environment = {
        "TAGGER_DATA_DIR": str(place / "data"),
        "TAGGER_SERVERS": '[{"url": "http://127.0.0.1:9"}]',
    }
    with app_process(place, environment=environment) as process:
        api = f"{process.url}/api"
        body = {"path": str(place / "photos")}
        httpx.post(f"{api}/folders", json=body, trust_env=False)
        asked = f"{api}/images?state=tagged"
        until(
            lambda: httpx.get(asked, trust_env=False).json()["total"] == 3,
            within_s=120,
        )
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        expect.set_options(timeout=PATIENCE_MS)
        yield started
        started.close()


@contextmanager
def signed_in(
    app: AppProcess, browser: Browser, name: str, window: Window = LIGHT
) -> Iterator[Page]:
    """A window in which somebody signed in on the page that asks for it."""
    with opened(browser, window) as page:
        page.goto(app.url)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        settled(page, "Most frequent tags")
        yield page


def cells(page: Page) -> str:
    """What stands in the table on the page, as a screen reader is told it."""
    rows = page.locator("canvas [role=gridcell]")
    expect(rows.first).to_be_attached()
    return "\n".join(rows.all_text_contents())


@pytest.fixture(scope="module")
def shared(app: AppProcess, browser: Browser, place: Path) -> AppProcess:
    """The app with an admin, who was added on the screen, an editor and a viewer."""
    with opened(browser, LIGHT) as page:
        page.goto(f"{app.url}/people")
        page.get_by_label("Name", exact=True).fill("anna")
        page.get_by_label("New password, 10 characters at least").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("anna is admin now")).to_be_visible()
        page.get_by_role("link", name="Sign in").click()
        expect(page).to_have_url(re.compile("/signin"))
    with Database.open(place / "data" / "tracking.db") as db:
        users.add(db, HOSTILE, role=Role.EDITOR, password=kept())
        users.add(db, "vera", role=Role.VIEWER, password=kept())
    return app


def test_a_viewer_is_offered_nothing_to_change(
    shared: AppProcess, browser: Browser
) -> None:
    with signed_in(shared, browser, "vera") as page:
        expect(page.get_by_text("Signed in as vera (viewer)")).to_be_visible()
        for hidden in ("Settings", "Review", "Import tags", "People", "Audit"):
            expect(page.get_by_role("link", name=hidden, exact=True)).to_have_count(0)
        page.goto(f"{shared.url}/tags")
        expect(page.get_by_test_id("tag-row").first).to_be_visible()
        assert page.get_by_role("checkbox").count() == 0
        page.get_by_test_id("tag-open").get_by_text("cat", exact=True).click()
        expect(page.get_by_text("On 1 photo.")).to_be_visible()
        assert page.get_by_role("button", name="Rename").count() == 0
        page.goto(f"{shared.url}/gallery?photo=1")
        expect(page.get_by_test_id("description")).to_be_visible()
        expect(page.get_by_test_id("chip").first).to_be_visible()
        for editing in ("add-tag", "change-description", "take-out"):
            expect(page.get_by_test_id(editing).locator("visible=true")).to_have_count(
                0
            )
        page.get_by_test_id("description").click()
        expect(page.get_by_role("button", name="Save")).to_have_count(0)
        assert page.get_by_role("button", name="Ask again").count() == 0
        page.goto(f"{shared.url}/folders?folder=1")
        settled(page, "An admin adds folders")
        assert page.get_by_role("button", name="Remove").count() == 0


def test_an_editor_renames_a_tag_and_the_log_has_it(
    shared: AppProcess, browser: Browser
) -> None:
    with signed_in(shared, browser, HOSTILE) as page:
        page.goto(f"{shared.url}/tags?tag=cat")
        page.get_by_role("button", name="Rename").click()
        page.get_by_label("New name").fill("Mieze")
        page.get_by_role("button", name="Look at it first").click()
        page.get_by_role("button", name="Rename: 1 photo").click()
        expect(page.get_by_text("Done: 1 photo.")).to_be_visible()
        assert page.get_by_role("button", name="Ban").count() == 0
    with signed_in(shared, browser, "anna") as page:
        page.goto(f"{shared.url}/audit")
        settled(page, "Select a row to read all of it.")
        told = cells(page)
        assert "rename tag" in told
        assert HOSTILE in told
        assert "Mieze" in told
        assert "add user" in told
        assert PASSWORD not in told


def test_a_token_is_shown_once_and_is_refused_when_revoked(
    shared: AppProcess, browser: Browser
) -> None:
    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{shared.url}/api/tags"
        return httpx.get(url, headers=headers, trust_env=False).status_code

    with signed_in(shared, browser, "vera") as page:
        page.goto(f"{shared.url}/account")
        page.get_by_label("What it is for").fill("a script")
        page.get_by_role("button", name="Make a token").click()
        shown = page.get_by_test_id("stCode")
        expect(shown).to_contain_text("imagetagger_")
        token = shown.inner_text().strip()
        assert status(token) == 200
        page.reload()
        expect(page.get_by_text("a script")).to_be_visible()
        expect(page.get_by_text("imagetagger_")).to_have_count(0)
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("a script")).to_have_count(0)
        assert status(token) == 401


def test_a_password_is_changed_by_who_knows_it(
    shared: AppProcess, browser: Browser
) -> None:
    with signed_in(shared, browser, "vera") as page:
        page.goto(f"{shared.url}/account")
        page.get_by_label("Present password").fill("wrong")
        page.get_by_label("New password, 10 characters at least").fill("x" * 12)
        page.get_by_label("The same once more").fill("x" * 12)
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_text("not your present password")).to_be_visible()
        page.get_by_label("Present password").fill(PASSWORD)
        page.get_by_label("New password, 10 characters at least").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_text("Changed. Other browsers")).to_be_visible()
        page.get_by_role("link", name="Sign out").click()
        expect(page).to_have_url(re.compile("/signout"))
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile("/signin"))


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.name)
def test_screens_of_people_have_no_barrier(
    shared: AppProcess, browser: Browser, window: Window
) -> None:
    found: list[str] = []
    with signed_in(shared, browser, "anna", window) as page:
        for screen, seen in (
            ("people", "Add somebody"),
            ("account", "Present password"),
            ("audit", "Select a row"),
        ):
            page.goto(f"{shared.url}/{screen}")
            settled(page, seen)
            assert page.locator("[data-testid=stException]").count() == 0, screen
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= window.width_px, f"{screen} is {wide} px wide"
            found += [f"{screen}: {one}" for one in barriers(page)]
    assert not found, "\n".join(found)


def test_who_is_removed_sees_nothing_more(
    shared: AppProcess, browser: Browser, place: Path
) -> None:
    with signed_in(shared, browser, "vera") as page:
        with signed_in(shared, browser, "anna") as admin:
            admin.goto(f"{shared.url}/people")
            settled(admin, "Add somebody")
            admin.get_by_role("combobox", name="Change").click()
            admin.get_by_role("option", name="vera").click()
            admin.get_by_role("button", name="Remove").click()
            admin.get_by_role("button", name="Remove for good").click()
            expect(admin.get_by_role("heading", name="vera")).to_have_count(0)
        page.goto(f"{shared.url}/gallery")
        expect(page).to_have_url(re.compile("/signin"))
