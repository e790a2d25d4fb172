"""The screens as Streamlit's own test harness runs them: the real script, no browser.

What a component is given is read from the message the browser would get.
"""

import functools
import json
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).resolve().parent.parent / "pages"
EVERY = (
    *("dashboard", "gallery", "search", "duplicates", "folders", "tags", "settings"),
    "review",
)

# For each screen Streamlit reads the metadata of all that is installed, to find the
# components of others. That stays the same, and took a fifth of the time.
manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)


def screen(name: str, **address: str | list[str]) -> AppTest:
    """The screen after its first run, opened with this in its address."""
    # The first run of a process imports altair and pandas.
    test = AppTest.from_file(str(PAGES / "shell.py"), default_timeout=40)
    if name != "dashboard":
        test.switch_page(str(PAGES / f"{name}.py"))
    for key, value in address.items():
        test.query_params[key] = value
    return test.run()


def given(test: AppTest, component: str) -> dict[str, Any]:
    """What the component of this name was given to show."""
    for element in test.get("bidi_component"):
        if element.proto.component_name == f"tagger_{component}":
            data: dict[str, Any] = json.loads(element.proto.json)
            return data
    raise AssertionError(f"there is no {component} on this screen")


def photos(test: AppTest) -> list[str]:
    """The names of the photos on the wall, in their order."""
    return [photo["name"] for photo in given(test, "grid")["photos"]]


def said(test: AppTest) -> str:
    """Every sentence on the screen that Streamlit reads as Markdown."""
    kinds = (test.markdown, test.caption, test.error, test.warning, test.info)
    more = (test.success, test.subheader, test.title)
    return "\n".join(element.value for kind in (*kinds, *more) for element in kind)


def plain_text(test: AppTest) -> str:
    """Every sentence shown exactly as it is."""
    return "\n".join(element.value for element in test.text)
