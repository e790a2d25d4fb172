"""Map: where a photo was taken, if the settings say who serves the pieces of a map.

Without that setting nothing is shown, and the browser asks nothing of anybody.
"""

import math
from urllib.parse import urlsplit

from pages.parts import wording
from pages.parts.component import component
from tagger.catalogue.questions import Image
from tagger.web.runtime import Runtime

ZOOM = 13
# The projection of such maps ends here, north and south.
FARTHEST = 85.0511

_map = component(
    "placemap",
    """
    <figure class="map" data-testid="map">
      <div class="pieces" role="img"></div>
      <figcaption></figcaption>
    </figure>
    """,
)


def show(app: Runtime, image: Image) -> None:
    """The surroundings of the place, with the place in the middle."""
    url, known = app.config.ui.tile_url, image.facts
    if not url or known is None or known.gps is None:
        return
    x, y = tile(*known.gps)
    data = {
        "url": url,
        "zoom": ZOOM,
        "x": x,
        "y": y,
        "label": f"Map around {wording.place(known.gps)}",
        "credit": f"Map by {urlsplit(url).hostname}",
    }
    _map(data=data, key="photo_map")


def tile(latitude: float, longitude: float) -> tuple[float, float]:
    """The place in pieces of the map, counted from the north-west; its whole part names
    the piece, the rest is where in it."""
    at = math.radians(max(-FARTHEST, min(FARTHEST, latitude)))
    around = 2**ZOOM
    x = (longitude + 180) / 360 * around
    y = (1 - math.asinh(math.tan(at)) / math.pi) / 2 * around
    return x % around, min(max(y, 0.0), math.nextafter(around, 0))
