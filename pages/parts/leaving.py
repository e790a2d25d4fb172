"""Leaving: a line with a link that leads away from the screens, in the same tab.

Streamlit's own links open another tab, which for signing in or out would be one that
knows and one that does not. The line may be a stranger's: it is shown as text.
"""

from pages.parts.component import component
from tagger.web.guard import SIGN_OUT
from tagger.web.refusals import SIGN_IN

_leaving = component(
    "leaving",
    '<p class="leaving" data-testid="leaving"><span class="said"></span> '
    '<a target="_self"></a></p>',
)


def sign_in(said: str, *, key: str) -> None:
    """The way to the page where one signs in."""
    _show(said, "Sign in", SIGN_IN, key)


def sign_out(said: str, *, key: str) -> None:
    """The way to the page where one signs out."""
    _show(said, "Sign out", SIGN_OUT, key)


def _show(said: str, label: str, url: str, key: str) -> None:
    _leaving(data={"said": said, "label": label, "url": url}, key=key)
