"""A component's own script in a real browser, without the program around it.

What it tells the program is kept in `told`, and the page can be shown other data.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from pages.parts import component

CHROMIUM = "/usr/bin/chromium"

_HOST = """
async ([code]) => {
  const blob = new Blob([code], { type: "text/javascript" });
  const module = await import(URL.createObjectURL(blob));
  const host = document.getElementById("host");
  window.told = [];
  const tell = (name, value) => window.told.push([name, value]);
  window.show = (data) => {
    module.default({
      data, parentElement: host, setStateValue: tell, setTriggerValue: tell,
    });
  };
}
"""


@dataclass
class Shown:
    """A component in a page."""

    page: Page

    def show(self, data: dict[str, Any]) -> None:
        self.page.evaluate("data => window.show(data)", data)

    def told(self, name: str) -> list[Any]:
        """What it has told under this name, oldest first."""
        everything = self.page.evaluate("() => window.told")
        return [value for said, value in everything if said == name]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; one at a time in a thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def mounted(browser: Browser, html: str, *scripts: str, width_px: int = 1000) -> Shown:
    """The component of these scripts in a page of its own."""
    style = (component.HERE / f"{scripts[0]}.css").read_text("utf-8")
    page = browser.new_page(viewport={"width": width_px, "height": 700})
    page.set_content(
        f'<style>{style}</style><button id="other">x</button>'
        f'<div id="host">{html}</div>'
    )
    page.evaluate(_HOST, [component.script(*scripts)])
    return Shown(page)
