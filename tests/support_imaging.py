"""Makes small real pictures of every format, for tests of what looks at photos.

    path = make("png16", tmp_path)                  # b"…/png16.png"
    path = make("jpeg", tmp_path, painted(changed=True), name="other.jpg")

`painted` is a picture without symmetry, so that a wrong turn shows, and with noise, so
that no two pixels are alike; `changed` alters exactly one of its pixels.
"""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 96, 64
ORIENTATION, MAKE, MODEL, DESCRIPTION = 0x0112, 0x010F, 0x0110, 0x010E
EXIF_IFD, GPS_IFD = 0x8769, 0x8825

pillow_heif.register_heif_opener()


def painted(
    width: int = WIDTH_PX, height: int = HEIGHT_PX, *, changed: bool = False
) -> Pixels:
    """Red to the right, green downwards, a blue corner top left, and noise."""
    noise = np.random.default_rng(7).integers(0, 24, (height, width, 3))
    pixels = noise.astype(np.uint8)
    pixels[..., 0] += np.linspace(0, 200, width, dtype=np.uint8)[None, :]
    pixels[..., 1] += np.linspace(0, 200, height, dtype=np.uint8)[:, None]
    pixels[: height // 4, : width // 4, 2] += 200
    if changed:
        pixels[height // 2, width // 4] ^= 0xC0
    return pixels


def _save(format: str, **options: object) -> Callable[[Pixels], bytes]:
    return lambda pixels: encoded(Image.fromarray(pixels), format, **options)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """An image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _converted(mode: str, format: str, **options: object) -> Callable[[Pixels], bytes]:
    return lambda pixels: encoded(
        Image.fromarray(pixels).convert(mode), format, **options
    )


def _frames(format: str, **options: object) -> Callable[[Pixels], bytes]:
    """Three frames or pages; `pixels` is the last, so a change is not in the first."""

    def save(pixels: Pixels) -> bytes:
        # A change must not reach the frames before it.
        original = painted(pixels.shape[1], pixels.shape[0])
        first, second = Image.fromarray(255 - original), Image.fromarray(original[::-1])
        rest = [second, Image.fromarray(pixels)]
        return encoded(first, format, save_all=True, append_images=rest, **options)

    return save


def _two_views(pixels: Pixels) -> bytes:
    """As stereo cameras write it: the picture, and a second one behind it."""
    second = Image.fromarray(255 - painted())
    return encoded(
        Image.fromarray(pixels), "MPO", save_all=True, append_images=[second]
    )


def grey16(pixels: Pixels) -> Image.Image:
    """Sixteen-bit grey over the whole range, from the red and the green channel."""
    values = pixels[..., 0].astype(np.uint16) * 256 + pixels[..., 1]
    return Image.fromarray(values)


def _see_through(pixels: Pixels) -> Image.Image:
    """The right half fully transparent, with black underneath."""
    image = Image.fromarray(pixels).convert("RGBA")
    image.paste((0, 0, 0, 0), (image.width // 2, 0, image.width, image.height))
    return image


def _few_colours(pixels: Pixels) -> Image.Image:
    """A palette that does not depend on the pixels, so that one change stays one."""
    return Image.fromarray(pixels).convert("P", palette=Image.Palette.WEB)


# Kind of picture: file name, and how pixels become its bytes.
KINDS: dict[str, tuple[str, Callable[[Pixels], bytes]]] = {
    "jpeg": ("jpeg.jpg", _save("JPEG", quality=90)),
    "jpeg-progressive": ("progressive.jpg", _save("JPEG", progressive=True)),
    "jpeg-grey": ("grey.jpg", _converted("L", "JPEG")),
    "jpeg-cmyk": ("cmyk.jpg", _converted("CMYK", "JPEG", quality=95)),
    "mpo": ("mpo.jpg", _two_views),
    "png": ("png.png", _save("PNG")),
    "png16": ("png16.png", lambda pixels: encoded(grey16(pixels), "PNG")),
    "png-alpha": ("alpha.png", lambda pixels: encoded(_see_through(pixels), "PNG")),
    "png-palette": ("palette.png", lambda pixels: encoded(_few_colours(pixels), "PNG")),
    "apng": ("apng.png", _frames("PNG")),
    "gif": ("gif.gif", lambda pixels: encoded(_few_colours(pixels), "GIF")),
    "gif-animated": ("animated.gif", _frames("GIF")),
    "bmp": ("bmp.bmp", _save("BMP")),
    "tiff": ("tiff.tif", _save("TIFF")),
    "tiff-strips": (
        "strips.tiff",
        _save("TIFF", compression="tiff_adobe_deflate", strip_size=2048),
    ),
    "tiff-lzw": ("lzw.tif", _save("TIFF", compression="tiff_lzw")),
    "tiff-big": ("big.tif", _save("TIFF", big_tiff=True)),
    "tiff-pages": ("pages.tif", _frames("TIFF")),
    "tiff-grey16": ("grey16.tif", lambda pixels: encoded(grey16(pixels), "TIFF")),
    "tiff-lab": ("lab.tif", _converted("LAB", "TIFF")),
    "webp": ("webp.webp", _save("WEBP", quality=90)),
    "webp-lossless": ("lossless.webp", _save("WEBP", lossless=True)),
    "webp-alpha": (
        "alpha.webp",
        lambda pixels: encoded(_see_through(pixels), "WEBP", quality=90),
    ),
    "webp-animated": ("animated.webp", _frames("WEBP", lossless=True)),
    "heic": ("heic.heic", _save("HEIF", quality=90)),
    "heic-images": ("images.heic", _frames("HEIF", quality=90)),
    "avif": ("avif.avif", _save("AVIF", quality=90)),
    "avif-animated": ("animated.avif", _frames("AVIF", quality=90)),
}

# What exiftool can write into; it refuses BMP and BigTIFF.
WRITABLE_KINDS = sorted(set(KINDS) - {"bmp", "tiff-big"})


def make(
    kind: str, folder: Path, pixels: Pixels | None = None, *, name: str | None = None
) -> bytes:
    """A picture of this kind in `folder`; its path, as bytes."""
    default_name, encode = KINDS[kind]
    data = encode(painted() if pixels is None else pixels)
    return put(folder, name or default_name, data)


def put(folder: Path, name: str | bytes, data: bytes) -> bytes:
    """A file with this content; its path, as bytes."""
    path = os.path.join(os.fsencode(folder), os.fsencode(name))
    with open(path, "wb") as file:
        file.write(data)
    return path


def exif(orientation: int | None = None) -> Image.Exif:
    """EXIF as a camera writes it, for Pillow's `exif=` when saving."""
    block = Image.Exif()
    block[MAKE], block[MODEL] = "Canon", "Canon EOS R6"
    block[DESCRIPTION] = "words are not facts"
    if orientation is not None:
        block[ORIENTATION] = orientation
    block.get_ifd(EXIF_IFD).update(
        {0x9003: "2024:05:06 07:08:09", 0xA434: "RF24-105mm F4 L IS USM"}
    )
    block.get_ifd(GPS_IFD).update(
        {1: "S", 2: (33.0, 51.0, 30.0), 3: "E", 4: (151.0, 12.0, 36.0)}
    )
    return block


def with_orientation(pixels: Pixels, orientation: int) -> Pixels:
    """How pixels must be stored so that `orientation` displays them upright."""
    stored = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p[:, ::-1].transpose(1, 0, 2),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: p[::-1].transpose(1, 0, 2),
    }[orientation](pixels)
    return np.ascontiguousarray(stored)


def huge_png(width: int, height: int) -> bytes:
    """A small PNG whose header promises far more pixels than anybody has memory for."""
    data = bytearray(encoded(Image.new("L", (8, 8)), "PNG"))
    data[16:24] = struct.pack(">II", width, height)
    checksum = struct.pack(">I", zlib.crc32(data[12:29]))
    data[29:33] = checksum
    return bytes(data)
