"""Copy link: puts the address of what is shown into the clipboard."""

from pages.parts.component import component

_link = component(
    "copylink",
    '<div class="copylink"><button type="button" data-testid="copy-link">Copy link'
    '</button><span class="told" role="status"></span></div>',
)


def show(*, key: str) -> None:
    """The button; the address is the browser's own, with all that the view is of."""
    _link(data={}, key=key, width="content")
