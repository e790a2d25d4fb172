"""A model server for measuring: it answers like Ollama, after a time that is given.

    python -m tagger.bench.server --slots 4 --ms 500

It listens on the loopback address alone, says its port on standard output, and ends
with its standard input, so that it never outlives who started it. It looks at no
picture. `/stats` tells how long its slots were busy, and what processor time it took.
"""

import argparse
import asyncio
import json
import sys
import time
from typing import Any

MODEL = "bench"
_MOST_BYTES = 64 << 20
_SAID = {"description": "A picture made for measuring.", "tags": ["made", "picture"]}
_DONE = {
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 300,
    "eval_count": 40,
}


class Bench:
    """The answers, and what is counted of them."""

    def __init__(self, *, slots: int, answer_s: float) -> None:
        self._free = asyncio.Semaphore(slots)
        self._slots = slots
        self._answer_s = answer_s
        self._answered = 0
        self._busy_s = 0.0
        self._first: float | None = None
        self._last = 0.0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection, for as many questions as come in over it."""
        try:
            while request := await _request(reader):
                status, said = await self._answer(*request)
                body = json.dumps(said).encode()
                head = (
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client hung up
        finally:
            writer.close()

    async def _answer(self, path: str) -> tuple[str, dict[str, Any]]:
        models = [{"name": MODEL, "model": MODEL}]
        known: dict[str, dict[str, Any]] = {
            "/api/version": {"version": "0.12.0"},
            "/api/tags": {"models": models},
            "/api/ps": {"models": models},
            "/api/show": {"capabilities": ["completion", "vision"]},
            "/stats": self._stats(),
        }
        if path == "/api/chat":
            return "200 OK", await self._chat()
        if path in known:
            return "200 OK", known[path]
        return "404 Not Found", {"error": "not found"}

    async def _chat(self) -> dict[str, Any]:
        async with self._free:
            began = time.monotonic()
            self._first = began if self._first is None else self._first
            await asyncio.sleep(self._answer_s)
            self._last = time.monotonic()
            self._busy_s += self._last - began
            self._answered += 1
        message = {"role": "assistant", "content": json.dumps({**_SAID, "text": ""})}
        return {"model": MODEL, "created_at": "", "message": message, **_DONE}

    def _stats(self) -> dict[str, Any]:
        lasted_s = self._last - (self._first or self._last)
        possible_s = self._slots * lasted_s
        return {
            "answered": self._answered,
            "first_s": self._first or self._last,
            "last_s": self._last,
            "seconds": lasted_s,
            "cpu_s": time.process_time(),
            "busy_s": self._busy_s,
            "busy_share": self._busy_s / possible_s if possible_s else 0.0,
        }


async def _request(reader: asyncio.StreamReader) -> tuple[str] | None:
    """The path that is asked for; what is sent to it is read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(":") for line in lines[1:])
    )
    length = int(fields.get("content-length") or 0)
    if length > _MOST_BYTES:
        raise ConnectionError("too long")
    await reader.readexactly(length)
    return (lines[0].split(" ")[1].partition("?")[0],)


async def _run(slots: int, answer_s: float) -> None:
    bench = Bench(slots=slots, answer_s=answer_s)
    server = await asyncio.start_server(bench.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tagger.bench.server")
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--ms", type=float, default=500.0)
    options = parser.parse_args()
    asyncio.run(_run(options.slots, options.ms / 1000))


if __name__ == "__main__":
    main()
