"""Opening a photo and decoding it once, into an upright RGB image of bounded size.

A RAW photo is looked at through the preview that its camera has put into it; sizes and
facts are the photo's own.

Memory is bounded three ways: a limit on pixels, a limit on the size of the file, and a
budget that threads share while they decode.
"""

import contextlib
import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pillow_heif
from PIL import Image

from tagger.errors import UnreadableImage
from tagger.imaging.budget import DECODING
from tagger.imaging.colours import on_white, resizable, resized
from tagger.imaging.facts import EXIF_FAULTS, orientation_of, valid_orientation
from tagger.imaging.faults import DECODER_FAULTS, faults_named
from tagger.imaging.formats import PILLOW_FORMATS, format_name
from tagger.imaging.limits import refuse_too_large, refuse_too_long
from tagger.imaging.raw import RawPhoto, open_raw
from tagger.imaging.rawkind import raw_format
from tagger.imaging.source import Malformed, Source, opened_file, reading
from tagger.imaging.tiles import Grid, grid_of, reduced

DEFAULT_MAX_MEGAPIXELS = 250
# From here on a HEIC, which takes seven bytes a pixel, is decoded by tiles.
TILED_FROM_PX = 64_000_000

# A backstop for sizes that only show while decoding (frames, tiles); the limit that
# counts is the caller's, checked on every file. Pillow warns at this figure and
# refuses at twice of it. None would switch all checks off.
Image.MAX_IMAGE_PIXELS = 1_000_000_000
Image.init()  # all decoders now, rather than by whichever thread comes first
# An embedded preview can be older than the picture, or another one: never use it.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_STORED = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}  # the inverse

_PILLOW_MODULES = re.compile(r"PIL\b|pillow_heif\b")
_hushing = threading.Lock()


@dataclass(frozen=True, slots=True)
class OpenPhoto:
    """A photo whose header is read, and nothing else yet.

    `codec` is the format of `image`, which is the photo itself or, of a RAW photo, the
    preview in it.
    """

    path: bytes
    source: Source
    image: Image.Image
    format: str
    codec: str
    raw: RawPhoto | None = None


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo whose pixels are in memory, in the mode and position the file has them.

    `width_px` and `height_px` are as it is displayed. `orientation` is what the file
    states; `turn` is the part of it that `shrunk` still has to apply, and `turned` the
    part that the decoder has applied already. `exif_damaged` says that the EXIF block
    could not be read.
    """

    path: bytes
    image: Image.Image
    width_px: int
    height_px: int
    orientation: int
    turn: int
    turned: int
    exif_damaged: bool


@contextlib.contextmanager
def open_photo(
    path: bytes, *, max_megapixels: int, file: BinaryIO | None = None
) -> Iterator[OpenPhoto]:
    """Open a photo and read its header; raises `UnreadableImage`.

    With a `file` that is open already, `path` is only named in errors.
    """
    with opened_file(path, file) as file:
        source = Source.of_file(file)
        with open_stream(path, file, source, max_megapixels=max_megapixels) as photo:
            yield photo


@contextlib.contextmanager
def open_stream(
    path: bytes, file: BinaryIO, source: Source, *, max_megapixels: int
) -> Iterator[OpenPhoto]:
    """The same for what is open already; `path` is only named in errors."""
    refuse_too_long(path, source.size_bytes, max_megapixels)
    _hush_pillow()
    with reading(path):
        kind = raw_format(path, source)
    raw = open_raw(path, file, source, kind, max_megapixels) if kind else None
    with faults_named(path, source):
        image = raw.image if raw else Image.open(file, formats=PILLOW_FORMATS)
    with contextlib.closing(image):
        codec = format_name(image.format)
        photo = OpenPhoto(path, source, image, kind or codec, codec, raw)
        refuse_too_large(
            path,
            image.size,
            max_megapixels,
            format=photo.format,
            bytes_factor=_bytes_factor(photo),
        )
        yield photo


@contextlib.contextmanager
def decoded(photo: OpenPhoto, *, side_px: int | None) -> Iterator[DecodedPhoto]:
    """Decode, holding a share of the memory budget for the block.

    With `side_px`, a JPEG may be decoded at a fraction of its size, but not below that
    many pixels on its longest side. Raises `UnreadableImage`.
    """
    image, path = photo.image, photo.path
    width_px, height_px = image.size
    scale = _draft(photo, side_px) if side_px else 1
    grid = _large_grid(photo) if side_px else None
    reduction = grid.reduction(side_px) if grid and side_px else 1
    scale = max(scale, reduction)
    with DECODING.hold(_weight_px(photo, width_px * height_px, scale)):
        if photo.raw:
            yield _decoded_raw(photo, photo.raw)
            return
        if photo.format == "PNG":
            # Its EXIF may stand behind the pixels.
            with faults_named(path):
                image.load()
        exif_damaged, turned = False, 1
        try:
            orientation = turn = orientation_of(image)
        except EXIF_FAULTS:
            exif_damaged, orientation, turn = True, 1, 1
        if photo.format == "HEIC":
            orientation = valid_orientation(image.info.get("original_orientation"))
        elif photo.format == "TIFF":
            turn, turned = 1, turn
        elif turn >= 5:
            width_px, height_px = height_px, width_px
        with faults_named(path):
            if grid and reduction > 1:
                image = _by_tiles(photo, grid, reduction)
            image.load()
        yield DecodedPhoto(
            path,
            image,
            width_px,
            height_px,
            orientation=orientation,
            turn=turn,
            turned=turned,
            exif_damaged=exif_damaged,
        )


def _decoded_raw(photo: OpenPhoto, raw: RawPhoto) -> DecodedPhoto:
    image = photo.image
    try:
        image.load()
    except DECODER_FAULTS:
        image = raw.developed()  # the preview is damaged
    return DecodedPhoto(
        photo.path,
        image,
        raw.width_px,
        raw.height_px,
        orientation=raw.orientation,
        turn=raw.turn_of(image),
        turned=1,
        exif_damaged=False,
    )


def shrunk(photo: DecodedPhoto, side_px: int) -> Image.Image:
    """The photo as upright RGB on white, its longest side at most `side_px`."""
    with faults_named(photo.path):
        image = resizable(photo.image)
        image = resized(image, side_px)
        image = on_white(image)
        if photo.turn in _UPRIGHT:
            image = image.transpose(_UPRIGHT[photo.turn])
        # The opened image is closed when its block ends; what leaves must live on.
        return image.copy() if image is photo.image else image


def as_stored(photo: DecodedPhoto) -> Image.Image:
    """The pixels as they lie in the file, before any orientation."""
    if photo.turned in _UPRIGHT:
        return photo.image.transpose(_STORED.get(photo.turned, _UPRIGHT[photo.turned]))
    return photo.image


def frames_of(photo: OpenPhoto) -> int:
    """How many frames or pages there are; raises one of `DECODER_FAULTS` if unsure.

    The second picture of a camera's MPO or gain-map JPEG is not a frame.
    """
    if photo.codec == "JPEG":
        return 1
    return int(getattr(photo.image, "n_frames", 1))


def _draft(photo: OpenPhoto, side_px: int) -> int:
    """Have libjpeg decode at 1/2, 1/4 or 1/8 where that is enough; return by what."""
    longest = max(photo.image.size)
    if photo.codec != "JPEG" or longest <= side_px:
        return 1
    wanted = tuple(max(1, side * side_px // longest) for side in photo.image.size)
    with faults_named(photo.path):
        photo.image.draft(None, (wanted[0], wanted[1]))
    return max(1, round(longest / max(photo.image.size)))


def _large_grid(photo: OpenPhoto) -> Grid | None:
    """The tiles of a HEIC that takes too much memory as a whole, if it has such."""
    width_px, height_px = photo.image.size
    is_large = width_px * height_px > TILED_FROM_PX
    if photo.format != "HEIC" or photo.image.mode != "RGB" or not is_large:
        return None
    grid = grid_of(photo.source)
    return grid if grid and grid.upright_px == photo.image.size else None


def _by_tiles(photo: OpenPhoto, grid: Grid, reduction: int) -> Image.Image:
    """Decode and make smaller tile by tile; all but the pixels is the photo's."""
    try:
        image = reduced(photo.source, grid, reduction)
    except Malformed as error:
        raise UnreadableImage(photo.path, f"one of its tiles {error}") from error
    image.info = photo.image.info
    return image


def _weight_px(photo: OpenPhoto, pixels: int, scale: int) -> int:
    """What decoding takes of the budget: pixels at about eight bytes each."""
    if photo.codec == "JPEG":
        # A progressive JPEG keeps all its coefficients, however small it comes out.
        kept = pixels // 2 if photo.image.info.get("progressive") else 0
        return kept + pixels // scale**2
    return pixels // scale**2 * _bytes_factor(photo)


def _bytes_factor(photo: OpenPhoto) -> int:
    """How many times eight bytes a pixel takes; more than one only in rare kinds."""
    if photo.image.mode in ("I", "F"):
        return 3
    return 2 if photo.format == "WEBP" else 1


def _hush_pillow() -> None:
    """Keep Pillow's remarks on odd metadata off the screen.

    A filter for the whole process, since `warnings.catch_warnings` is not safe with
    threads; put in front again when somebody has put another before it.
    """
    with _hushing:
        if not warnings.filters or warnings.filters[0][3] != _PILLOW_MODULES:
            warnings.filterwarnings("ignore", module=_PILLOW_MODULES.pattern)
