"""Looks: everything that is read off a photo, against decoding it alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tagger.bench.figures import ROUNDS, Figure, median, per_cpu_s
from tagger.config import Config
from tagger.imaging import decode, made
from tagger.imaging.look import look
from tagger.imaging.render import THUMBNAIL_PX

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")
PHOTOS = 3


def measure(
    folder: Path, config: Config, *, megapixels: float, photos: int = PHOTOS
) -> Iterator[Figure]:
    """Looks a processor second, by format."""
    for format in FORMATS:
        paths = [
            bytes(made.save(folder, n, format=format, megapixels=megapixels))
            for n in range(photos)
        ]
        looks, decodes = [], []
        for _ in range(ROUNDS):
            decodes.append(per_cpu_s(photos, lambda p=paths: _decode(p, config)))  # type: ignore[misc]
            looks.append(per_cpu_s(photos, lambda p=paths: _look(p, config)))  # type: ignore[misc]
        yield Figure(
            part="looks",
            name=f"{format} of {megapixels:g} megapixels",
            value=median(looks),
            unit="photos a CPU-second",
            limit_name="decoding alone",
            limit=median(decodes),
        )


def _look(paths: Sequence[bytes], config: Config) -> None:
    for path in paths:
        look(path, side_px=config.model.image_side_px)


def _decode(paths: Sequence[bytes], config: Config) -> None:
    side_px = max(config.model.image_side_px, THUMBNAIL_PX)
    for path in paths:
        with (
            decode.open_photo(path, max_megapixels=250) as photo,
            decode.decoded(photo, side_px=side_px) as pixels,
        ):
            pixels.image.load()
