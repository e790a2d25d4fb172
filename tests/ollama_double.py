"""A stand-in for Ollama: a real HTTP server on a loopback port that speaks its `/api`.

    with OllamaDouble(answer={"description": "A dog.", "tags": ["dog"]}) as ollama:
        ... ask ollama.url ...
        assert ollama.count == 1

`answer` may be a function of the picture's bytes and the request, for tests that must
see every file get its own answer. `slots` is how many questions it takes at a time;
beyond, it answers 503 as Ollama does. `script` is a list of `Fault`s, used up first,
one a question. `crashes_on` tells which pictures crash its model, and what else it is
asked at that moment. The official client is held against it in test_ollama.py.

As a program it serves until killed: `python -m tests.ollama_double --delay 0.5`.
"""

import argparse
import base64
import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOW = "2026-01-01T00:00:00Z"
Given = Mapping[str, Any] | str
Answerer = Callable[[bytes, Mapping[str, Any]], Given]


@dataclass(frozen=True)
class Fault:
    """What one question gets instead of an answer. `close` drops the connection.

    `how` is for what is no answer at all: `hang` says nothing, `trickle` sends a good
    answer a byte a time, `drip` its headers, `cut` breaks off in the middle of it,
    `flood` sends 100 MB, `garbage` random bytes.
    """

    status: int = 500
    body: Given = field(default_factory=lambda: {"error": "scripted"})
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    how: str = ""
    pause_s: float = 0.05


@dataclass(frozen=True)
class Asked:
    """A question that was answered: what was asked, its picture, from when to when."""

    body: Mapping[str, Any]
    image: bytes
    began_s: float
    ended_s: float


class OllamaDouble:
    """The server. Start it with `with`, or `start` and `stop`."""

    def __init__(
        self,
        answer: Given | Answerer = "{}",
        *,
        delay_s: float = 0.0,
        slots: int = 64,
        models: Sequence[str] = ("gemma3:4b",),
        capabilities: Sequence[str] | None = ("completion", "vision"),
        script: Sequence[Fault] = (),
        done_reason: str = "stop",
        crashes_on: Callable[[bytes], bool] | None = None,
        port: int = 0,
    ) -> None:
        self.answer = answer
        self.delay_s = delay_s
        self.slots = slots
        self.models = list(models)
        self.capabilities = capabilities
        self.script = list(script)
        self.done_reason = done_reason
        self.asked: list[Asked] = []
        self.refused = 0  # questions that found no free slot
        self.faults = 0  # questions that got something of the script
        self.most_busy = 0
        self.crashes = 0
        self._crashes_on = crashes_on
        self._crashed = threading.Event()
        self.stopping = threading.Event()
        self._busy = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.double = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def count(self) -> int:
        """Questions that came in, answered or not."""
        return len(self.asked) + self.refused + self.faults

    @property
    def busy(self) -> int:
        """Questions that are being thought about now."""
        return self._busy

    def busy_share(self) -> float:
        """Slot-seconds spent answering, of all from the first to the last, 0 to 1."""
        if not self.asked:
            return 0.0
        began_s = min(asked.began_s for asked in self.asked)
        ended_s = max(asked.ended_s for asked in self.asked)
        spent_s = sum(asked.ended_s - asked.began_s for asked in self.asked)
        return spent_s / (self.slots * (ended_s - began_s))

    def measured(self) -> dict[str, float]:
        """What `busy_share` comes from, for a measurement in another process."""
        return {
            "count": len(self.asked),
            "refused": self.refused,
            "began_s": min((asked.began_s for asked in self.asked), default=0.0),
            "ended_s": max((asked.ended_s for asked in self.asked), default=0.0),
            "spent_s": sum(asked.ended_s - asked.began_s for asked in self.asked),
        }

    def start(self) -> "OllamaDouble":
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._crashed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "OllamaDouble":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def take_slot(self) -> Fault | None:
        """None when the question may be answered, else what it gets."""
        with self._lock:
            if self.script:
                self.faults += 1
                return self.script.pop(0)
            if self._busy >= self.slots:
                self.refused += 1
                busy = {"error": "server busy, please try again. maximum pending"}
                return Fault(503, busy)
            self._busy += 1
            self.most_busy = max(self.most_busy, self._busy)
            return None

    def hang_up(self) -> None:
        """Die: nobody gets an answer any more, and nothing is taken in."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_all()

    def reply(self, body: Mapping[str, Any]) -> str | None:
        """What the model says; takes the time a model takes, then frees the slot.

        None: the model crashed, on this picture or on one asked about beside it.
        """
        began_s = time.monotonic()
        image = _image(body)
        if self._crashes_on is not None and self._crashes_on(image):
            return self._crash()
        crashed = self._crashed
        try:
            if crashed.wait(self.delay_s):
                return None
            answer = self.answer
            said = answer(image, body) if callable(answer) else answer
            return said if isinstance(said, str) else json.dumps(said)
        finally:
            with self._lock:
                self._busy -= 1
                self.asked.append(Asked(body, image, began_s, time.monotonic()))

    def _crash(self) -> None:
        with self._lock:
            self.crashes += 1
            self._busy -= 1
            crashed, self._crashed = self._crashed, threading.Event()
        crashed.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    double: OllamaDouble

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        """End every connection, as a process that dies does."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        double = self.server.double
        if self.path == "/":
            self._send(200, b"Ollama is running", "text/plain")
        elif self.path == "/api/version":
            self._json(200, {"version": "0.12.0"})
        elif self.path == "/api/tags":
            self._json(200, {"models": [_listed(name) for name in double.models]})
        elif self.path == "/api/ps":
            running = [
                _listed(name) | {"expires_at": NOW, "size_vram": 0}
                for name in double.models
            ]
            self._json(200, {"models": running})
        elif self.path == "/measured":
            self._json(200, double.measured())
        else:
            self._send(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length))
        if self.path not in ("/api/chat", "/api/show"):
            self._send(404, b"404 page not found", "text/plain")
        elif not self._has(body.get("model", "")):
            self._json(404, {"error": f"model '{body.get('model')}' not found"})
        elif self.path == "/api/show":
            self._json(200, self._shown())
        else:
            self._chat(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _has(self, model: str) -> bool:
        models = self.server.double.models
        return model in models or f"{model}:latest" in models

    def _shown(self) -> dict[str, Any]:
        double = self.server.double
        known = (
            {} if double.capabilities is None else {"capabilities": double.capabilities}
        )
        shown = {"modelfile": "", "template": "", "model_info": {}, "modified_at": NOW}
        return {**shown, "details": _DETAILS, **known}

    def _chat(self, body: Mapping[str, Any]) -> None:
        double = self.server.double
        if fault := double.take_slot():
            if fault.close:
                self.close_connection = True
                return
            if fault.how:
                self._misbehave(fault)
                return
            plain = (
                fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
            )
            self._send(fault.status, plain.encode(), "application/json", fault.headers)
            return
        said = double.reply(body)
        if said is None:
            gone = {"error": "model runner has unexpectedly stopped"}
            self._json(500, gone)
            return
        if body.get("stream", True):
            self._stream(body, said)
        else:
            self._json(200, _message(body, said) | _done(double.done_reason))

    def _misbehave(self, fault: Fault) -> None:
        """Until the client hangs up, or the server stops."""
        self.close_connection = True
        good = json.dumps(_message({"model": "x"}, "{}") | _done("stop")).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        head += b"Content-Length: %d\r\n\r\n"
        if fault.how == "hang":
            self._slowly(b"", fault.pause_s)
        elif fault.how == "drip":
            self._slowly(head % len(good), fault.pause_s)
        elif fault.how == "trickle":
            self.wfile.write(head % len(good))
            self._slowly(good, fault.pause_s)
        elif fault.how == "cut":
            self.wfile.write(head % len(good) + good[: len(good) // 2])
        elif fault.how == "flood":
            self.wfile.write(head % (100 << 20))
            for _ in range(100):
                self.wfile.write(b" " * (1 << 20))
        else:
            self.wfile.write(os.urandom(4096))

    def _slowly(self, content: bytes, pause_s: float) -> None:
        for byte in content:
            self.wfile.write(bytes([byte]))
            if self.server.double.stopping.wait(pause_s):
                return
        self.server.double.stopping.wait()

    def _stream(self, body: Mapping[str, Any], said: str) -> None:
        """Two halves and an end, a line each, as Ollama does unless told not to."""
        half = len(said) // 2
        lines = [
            _message(body, part) | {"done": False}
            for part in (said[:half], said[half:])
        ]
        lines.append(_message(body, "") | _done(self.server.double.done_reason))
        text = "".join(json.dumps(line) + "\n" for line in lines)
        self._send(200, text.encode(), "application/x-ndjson")

    def _json(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(
        self,
        status: int,
        content: bytes,
        kind: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


_DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "gemma3",
    "families": ["gemma3"],
    "parameter_size": "4.3B",
    "quantization_level": "Q4_K_M",
}


def _listed(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": NOW,
        "size": 1,
        "digest": "0" * 64,
        "details": _DETAILS,
    }


def _message(body: Mapping[str, Any], said: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": said}
    return {"model": body["model"], "created_at": NOW, "message": message}


def _done(reason: str) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": reason,
        "total_duration": 3,
        "load_duration": 1,
        "prompt_eval_count": 300,
        "prompt_eval_duration": 1,
        "eval_count": 40,
        "eval_duration": 1,
    }


def _image(body: Mapping[str, Any]) -> bytes:
    """The first picture of the conversation."""
    for message in body.get("messages", ()):
        for image in message.get("images") or ():
            return base64.b64decode(image)
    return b""


def _dying(answer: Given, at: str) -> Answerer:
    """What ends this process at one picture, or at any, as a crash does."""
    from tests.support_pipeline import number_in

    def answered(image: bytes, _request: Mapping[str, Any]) -> Given:
        if at == "any" or number_in(image) == int(at):
            os._exit(1)
        return answer

    return answered


def main() -> None:
    parser = argparse.ArgumentParser(description="Ollama's /api with a fixed answer")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--delay", type=float, default=0.5, help="seconds an answer")
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--say", action="store_true", help="print the address")
    parser.add_argument("--dies-at", help="number of a picture, or `any`")
    args = parser.parse_args()
    answer = {"description": "A photo.", "tags": ["photo"], "text": ""}
    double = OllamaDouble(
        _dying(answer, args.dies_at) if args.dies_at else answer,
        delay_s=args.delay,
        slots=args.slots,
        port=args.port,
    )
    with double:
        if args.say:
            sys.stdout.write(f"{double.url}\n")
            sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
