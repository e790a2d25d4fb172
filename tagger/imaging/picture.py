"""The picture as a model sees it: upright RGB pixels, and the same as JPEG once."""

import io
import threading

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUALITY = 85


class Picture:
    """Pixels (height, width, 3) of uint8 RGB, upright; several threads may share it.

    One that was looked at for model servers is there as JPEG only; its pixels are made
    from that when somebody wants them after all.
    """

    def __init__(
        self, pixels: NDArray[np.uint8] | None, *, jpeg: bytes | None = None
    ) -> None:
        if pixels is not None:
            pixels.flags.writeable = False
        self._pixels = pixels
        self._jpegs = {QUALITY: jpeg} if jpeg is not None else {}
        self._making = threading.Lock()

    @classmethod
    def of_image(cls, image: Image.Image) -> "Picture":
        return cls(np.array(image, dtype=np.uint8))

    @classmethod
    def plain(cls) -> "Picture":
        """One that no model can stumble over."""
        return cls(np.full((256, 256, 3), 127, dtype=np.uint8))

    @property
    def pixels(self) -> NDArray[np.uint8]:
        with self._making:
            return self._decoded()

    @property
    def width_px(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.pixels.shape[0])

    def jpeg(self, quality: int = QUALITY) -> bytes:
        """The picture as JPEG; made on the first call, the same bytes afterwards."""
        with self._making:
            if quality not in self._jpegs:
                self._jpegs[quality] = jpeg_bytes(
                    Image.fromarray(self._decoded()), quality=quality
                )
            return self._jpegs[quality]

    def _decoded(self) -> NDArray[np.uint8]:
        if self._pixels is None:
            with Image.open(io.BytesIO(self._jpegs[QUALITY])) as image:
                self._pixels = np.array(image.convert("RGB"), dtype=np.uint8)
        return self._pixels


def jpeg_bytes(
    image: Image.Image, *, quality: int, icc_profile: bytes | None = None
) -> bytes:
    """An RGB image as JPEG, without metadata but for a colour profile if given."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, icc_profile=icc_profile)
    return buffer.getvalue()
