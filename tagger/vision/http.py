"""HTTP to one model server, with its failures sorted by who has to react.

What may pass, and what only a person can put right, becomes `ModelUnavailable` with a
sentence that names the address and what to do. What the server says of the request
itself (4xx) is `Refused`; the backend that knows the protocol makes sense of it.
"""

import ipaddress
import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from tagger.errors import ConfigError, ModelBusy, ModelLost, ModelUnavailable
from tagger.sections import Server
from tagger.texts import without_password
from tagger.vision.connections import Closed, Connections, Reply, TooLong

CHECK_TIMEOUT_S = 5.0
LARGEST_REPLY_BYTES = 16 * 1024 * 1024

_MAY_PASS = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT_S = 600.0


class Refused(Exception):
    """The server answered, and will not do what this request asks."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}" if message else f"HTTP {status}")
        self.status = status
        self.message = message


class ServerFault(ModelUnavailable):
    """HTTP 500 with the server's own words, for backends that can tell why."""

    def __init__(self, text: str, *, message: str, retry_after_s: float | None) -> None:
        super().__init__(text, retry_after_s=retry_after_s)
        self.message = message


class Http:
    """The way to one server. Threads may share it."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self._told = without_password(server.url)
        self._timeout_s = server.timeout_s
        self._connect_timeout_s = server.connect_timeout_s
        self._key_name = server.api_key_env
        self._connections = self._connected()

    def get(self, path: str) -> dict[str, Any]:
        """A question about the server itself: short patience."""
        return self._ask("GET", path, None, timeout_s=CHECK_TIMEOUT_S)

    def post(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        return self._ask("POST", path, body, timeout_s=timeout_s or self._timeout_s)

    def hang_up(self) -> None:
        """End what is being asked now."""
        self._connections.cut()

    def close(self) -> None:
        """Hang up, also on those who still wait for an answer."""
        self._connections.close()

    def _connected(self) -> Connections:
        key = os.environ.get(self._key_name, "").strip() if self._key_name else ""
        try:
            _ = urlsplit(self.url).port  # raises where the number is no port
            return Connections(
                self.url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                # A proxy meant for the internet must not catch this very machine.
                trust_env=not is_loopback(self.url),
            )
        except UnicodeEncodeError:
            raise ConfigError(f"{self._key_name} does not hold a usable key") from None
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConfigError(
                f"servers: {self._told} cannot be used: {error}"
            ) from error

    def _ask(
        self, method: str, path: str, body: Any, *, timeout_s: float
    ) -> dict[str, Any]:
        """The JSON object the server answers with."""
        try:
            reply = self._exchange(method, path, body, timeout_s)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ModelUnavailable(
                f"{self._told} does not answer; is the model server running there?"
            ) from error
        except httpx.TimeoutException as error:
            raise ModelUnavailable(
                f"{self._told} did not answer within {timeout_s:g} s; "
                "it may be loading its model, or timeout_s is too short"
            ) from error
        except TooLong as error:
            raise ModelUnavailable(
                f"{self._told} sent more than {LARGEST_REPLY_BYTES >> 20} MB for an "
                "answer; see url and kind of the server in the settings"
            ) from error
        except (httpx.HTTPError, Closed) as error:
            raise ModelLost(
                f"{self._told} broke off the connection ({error}); its log may say why"
            ) from error
        if reply.status != httpx.codes.OK:
            self._complain(reply.status, reply.headers, message_of(reply.content))
        return self._object(reply.content)

    def _exchange(self, method: str, path: str, body: Any, timeout_s: float) -> Reply:
        with self._connections.one() as connection:
            return connection.exchange(
                method,
                path,
                body,
                timeout_s=timeout_s,
                connect_timeout_s=self._connect_timeout_s,
                most_bytes=LARGEST_REPLY_BYTES,
            )

    def _complain(self, status: int, headers: httpx.Headers, message: str) -> NoReturn:
        said = f" ({message})" if message else ""
        if status in _MAY_PASS:
            raise self._passing(status, headers, message)
        if status in (401, 403):
            key = self._key_name or "the variable that api_key_env of this server names"
            raise ModelUnavailable(
                f"{self._told} refuses access{said}; put its key into {key}",
                may_pass=False,
            )
        if 400 <= status < 500:
            raise Refused(status, message)
        raise ModelUnavailable(
            f"{self._told} answers HTTP {status}{said}; is the address right?",
            may_pass=status >= 500,
        )

    def _passing(
        self, status: int, headers: httpx.Headers, message: str
    ) -> ModelUnavailable:
        said = f": {message}" if message else ""
        wait_s = retry_after_s(headers.get("Retry-After", ""))
        if status in (429, 503):
            text = (
                f"{self._told} is busy (HTTP {status}{said}); it is asked again later"
            )
            return ModelBusy(text, retry_after_s=wait_s)
        text = f"{self._told} failed (HTTP {status}{said}); its log may say why"
        if status == httpx.codes.INTERNAL_SERVER_ERROR:
            return ServerFault(text, message=message, retry_after_s=wait_s)
        return ModelUnavailable(text, retry_after_s=wait_s)

    def _object(self, content: bytes) -> dict[str, Any]:
        value = as_object(content)
        if value is None:
            raise self.not_understood()
        return value

    def not_understood(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._told} answers, but not as a model server of this kind; "
            "see url and kind of the server in the settings",
            may_pass=False,
        )


def as_object(content: bytes) -> dict[str, Any] | None:
    """A JSON object, or None for anything else."""
    try:
        value = json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def message_of(content: bytes) -> str:
    """The server's own words about an error: `error`, `error.message`, or nothing."""
    found = (as_object(content) or {}).get("error", "")
    if isinstance(found, dict):
        found = found.get("message", "")
    text = found if isinstance(found, str) else ""
    return " ".join("".join(c for c in text if c.isprintable()).split())[:300]


def is_loopback(url: str) -> bool:
    """Is the server on this very machine?"""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def retry_after_s(header: str) -> float | None:
    """Seconds out of a Retry-After header (a number, or a date), at most 10 minutes."""
    try:
        wait_s = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except ValueError:
            return None
        now = datetime.now(UTC)
        wait_s = (
            (when if when.tzinfo else when.replace(tzinfo=UTC)) - now
        ).total_seconds()
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S) if math.isfinite(wait_s) else None
