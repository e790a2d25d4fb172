"""The picture as a model sees it: upright RGB pixels, and the same as JPEG once."""

import io
import threading

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class Picture:
    """Pixels (height, width, 3) of uint8 RGB, upright; several threads may share it."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        pixels.flags.writeable = False
        self.pixels = pixels
        self._jpegs: dict[int, bytes] = {}
        self._encoding = threading.Lock()

    @classmethod
    def of_image(cls, image: Image.Image) -> "Picture":
        return cls(np.array(image, dtype=np.uint8))

    @property
    def width_px(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.pixels.shape[0])

    def jpeg(self, quality: int = 85) -> bytes:
        """The picture as JPEG; made on the first call, the same bytes afterwards."""
        with self._encoding:
            if quality not in self._jpegs:
                self._jpegs[quality] = jpeg_bytes(
                    Image.fromarray(self.pixels), quality=quality
                )
            return self._jpegs[quality]


def jpeg_bytes(
    image: Image.Image, *, quality: int, icc_profile: bytes | None = None
) -> bytes:
    """An RGB image as JPEG, without metadata but for a colour profile if given."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, icc_profile=icc_profile)
    return buffer.getvalue()
