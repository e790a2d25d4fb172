"""LibRaw at work, in a process of its own: run by `libraw`, and imports nothing else.

LibRaw is a large C++ library that reads the formats of hundreds of cameras. A file that
makes it crash, hang or ask for all memory ends this process, not the program. It gets
files as open descriptors, one at a time, and answers with numbers as JSON and bytes:
nothing that the other side would have to trust.

A request is one byte: `p` for the facts and the preview, `c` to unpack the sensor data
and see that all are there, `d` for a picture of half the size, made from them.
"""

import json
import resource
import signal
import socket
import struct
import sys
from datetime import datetime
from typing import Any

import rawpy

# Unpacked and developed at half size, 250 megapixels take 1.5 GB.
MEMORY_BYTES = 3 << 30
IDLE_S = 300.0
FRAME = struct.Struct("<II")  # bytes of JSON, and of what follows them

Answer = tuple[dict[str, Any], bytes]


def main(descriptor: int, timeout_s: int) -> None:
    """Answer requests until the other side hangs up, or has none for some minutes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as connection:
        connection.settimeout(IDLE_S)
        while request := _request(connection):
            what, file = request
            connection.settimeout(None)
            # A signal nobody handles: it also ends a loop that never comes back.
            signal.alarm(timeout_s)
            with open(file, "rb", buffering=0):
                header, payload = answer(what, f"/dev/fd/{file}")
            signal.alarm(0)
            head = json.dumps(header).encode()
            connection.sendall(FRAME.pack(len(head), len(payload)) + head)
            connection.sendall(payload)
            connection.settimeout(IDLE_S)


def _request(connection: socket.socket) -> tuple[bytes, int] | None:
    try:
        what, files, _flags, _address = socket.recv_fds(connection, 1, 1)
    except TimeoutError:
        return None
    return (what, files[0]) if what and files else None


def answer(what: bytes, path: str) -> Answer:
    """What LibRaw says of one file."""
    try:
        with rawpy.RawPy() as raw:
            raw.open_file(path)
            if what == b"p":
                return _preview(raw)
            if what == b"c":
                raw.unpack()
                return {}, b""
            return _developed(raw)
    except rawpy.LibRawFileUnsupportedError:
        return {"error": "unsupported"}, b""
    except rawpy.LibRawIOError:
        return {"error": "cut short"}, b""
    except (MemoryError, rawpy.LibRawUnsufficientMemoryError, rawpy.LibRawTooBigError):
        return {"error": "memory"}, b""
    except (rawpy.LibRawError, rawpy.NotSupportedError, ValueError):
        return {"error": "damaged"}, b""


def _preview(raw: rawpy.RawPy) -> Answer:
    sizes = raw.sizes
    header = {
        "width_px": sizes.width,
        "height_px": sizes.height,
        "crop_width_px": sizes.crop_width,
        "crop_height_px": sizes.crop_height,
        "flip": sizes.flip,
        "lens": raw.lens.model,
        "taken_at": _moment(raw),
        "preview": None,
    }
    try:
        found = raw.extract_thumb()
    except (rawpy.LibRawError, NotImplementedError):
        return header, b""
    if isinstance(found.data, bytes):
        return header | {"preview": "JPEG"}, found.data
    mode = {1: "L", 3: "RGB"}.get(found.data.shape[-1])
    if found.data.ndim != 3 or mode is None:
        return header, b""
    height, width = found.data.shape[:2]
    return header | {"preview": mode, "size_px": [width, height]}, found.data.tobytes()


def _moment(raw: rawpy.RawPy) -> str | None:
    """When it was taken, if that is said; the clock of this process runs on UTC."""
    try:
        moment: datetime = raw.other.timestamp
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(" ") if moment.year > 1970 else None


def _developed(raw: rawpy.RawPy) -> Answer:
    """Not turned, with the colours that the camera chose."""
    pixels = raw.postprocess(
        half_size=True,
        use_camera_wb=True,
        user_flip=0,
        output_bps=8,
        demosaic_algorithm=rawpy.DemosaicAlgorithm.LINEAR,
    )
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        return {"error": "damaged"}, b""
    height, width = pixels.shape[:2]
    return {"size_px": [width, height]}, pixels.tobytes()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
