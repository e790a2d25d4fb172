"""Viewer: one photograph as large as the room allows, with its neighbours by arrow."""

from pages.parts.component import component

_viewer = component(
    "viewer",
    """
    <div class="viewer" tabindex="0" data-testid="viewer">
      <img hidden>
      <p class="note" role="status" hidden></p>
      <button class="before" type="button" aria-label="Previous photo"
              data-testid="photo-before">&#8249;</button>
      <button class="after" type="button" aria-label="Next photo"
              data-testid="photo-after">&#8250;</button>
    </div>
    """,
)


def show(
    photo_id: int,
    *,
    small: str | None,
    large: str | None,
    alt: str,
    missing: str,
    size_px: tuple[int, int] | None,
    before: int | None,
    after: int | None,
    key: str,
) -> int | None:
    """Show a picture; answers the neighbour asked for, if any.

    `small` and `large` are addresses of the thumbnail and of the whole picture,
    `missing` is said where the whole one cannot be shown.
    """
    width_px, height_px = size_px or (None, None)
    data = {
        "id": photo_id,
        "small": small,
        "large": large,
        "alt": alt,
        "missing": missing,
        "width_px": width_px,
        "height_px": height_px,
        "before": before,
        "after": after,
    }
    wanted: int | None = _viewer(data=data, key=key, on_step_change=_nothing).step
    return wanted


def _nothing() -> None:
    """A component's event exists only if something listens."""
