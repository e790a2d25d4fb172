"""Origin: where a request says it comes from, and which of that can be believed.

A page on the internet can make a browser talk to this app. It is kept out by three
checks: the Host must be a name of this app or a plain address (DNS rebinding needs a
name), whatever changes state or opens the websocket must come from the app's own pages
(Origin, Sec-Fetch-Site), and API bodies must be JSON, which no foreign form can send.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

Network = IPv4Network | IPv6Network

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_WILDCARDS = frozenset({"", "0.0.0.0", "[::]"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+?)\.?(:[0-9]{1,5})?")
# Where pictures are sent to; no form can send one as that, nor as bytes.
_UPLOAD = "/api/tag"
_BYTES = "application/octet-stream"


def host_names(*addresses: str | None) -> frozenset[str]:
    """The Host names of an app at these addresses, besides the loopback ones."""
    written = {
        f"[{name}]" if ":" in name and not name.startswith("[") else name
        for name in addresses
        if name
    }
    return LOOPBACK_NAMES | {name.lower() for name in written} - _WILDCARDS


def host_of(headers: Headers) -> str | None:
    """The Host without its port; None if there is none, several, or no such thing."""
    hosts = headers.getlist("host")
    match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    return match.group(1) if match else None


def is_address(host: str) -> bool:
    """Whether a Host is a plain address, which cannot be made to lead elsewhere."""
    try:
        return not ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def is_loopback(address: str) -> bool:
    """Whether it is this machine's own address."""
    if address.lower() == "localhost":
        return True
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def is_forwarded(headers: Headers) -> bool:
    """Whether something stands in between that says so, such as a proxy."""
    return any(
        name == "forwarded" or name == "via" or name.startswith("x-forwarded-")
        for name in headers
    ) or any(name in headers for name in ("x-real-ip", "x-client-ip"))


def peer_of(scope: Scope) -> str:
    """The address of whoever opened the connection, be it a proxy; empty: unknown.

    The server puts in its place what a proxy on this machine says of its client, with 0
    for the port, which no connection has, unless a port was said. Then nothing tells
    the two apart, for anybody can name any address, also the own.
    """
    address, port = scope.get("client") or ("", 0)
    if address and port == 0:
        return "127.0.0.1"
    told = _forwarded_for(Headers(scope=scope))
    is_certain = all(":" not in one or is_address(one) for one in told)
    return str(address) if is_certain else ""


def _forwarded_for(headers: Headers) -> list[str]:
    told = ",".join(headers.getlist("x-forwarded-for")).split(",")
    return [one.strip() for one in told if one.strip()]


def client_of(scope: Scope, headers: Headers, trusted: Sequence[Network]) -> str:
    """The address of whoever asks, as far as proxies that are trusted tell."""
    address = str((scope.get("client") or ("", 0))[0])
    if not _is_in(peer_of(scope), trusted):
        return address
    for one in reversed(_forwarded_for(headers)):
        if not is_address(one):
            break
        address = one
        if not _is_in(one, trusted):
            break
    return address


def is_from(scope: Scope, trusted: Sequence[Network]) -> bool:
    """Whether one of these proxies opened the connection."""
    return _is_in(peer_of(scope), trusted)


def is_https(scope: Scope, headers: Headers, trusted: Sequence[Network]) -> bool:
    """Whether the browser's own connection is encrypted."""
    told = headers.get("x-forwarded-proto", "") if is_from(scope, trusted) else ""
    return (told or str(scope.get("scheme", ""))) in ("https", "wss")


def foreign(headers: Headers) -> str | None:
    """Why a request that changes something does not come from the app's own pages."""
    origin = headers.get("origin")
    if origin is not None and not _same_origin(origin, headers["host"]):
        return "The request comes from a page of another origin."
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return "The request comes from a page of another site."
    return None


def sends_other_than_json(scope: Scope, headers: Headers) -> bool:
    """Whether an API request has a body that a foreign form could have made."""
    has_body = headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in headers
    )
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_api = scope["path"].startswith("/api/")
    is_picture = media_type.startswith("image/") or media_type == _BYTES
    if scope["path"] == _UPLOAD and is_picture:
        return False
    return is_api and has_body and media_type != "application/json"


def cookie(headers: Headers, name: str) -> str | None:
    """A cookie's value; None if there is none, or more than one to choose from."""
    values = []
    for header in headers.getlist("cookie"):
        for part in header.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                values.append(value)
    return values[0] if len(values) == 1 else None


def names_of(headers: Headers, name: str) -> list[str]:
    """What a proxy says in that header, which most say in UTF-8."""
    return [_read(value) for value in headers.getlist(name)]


def _read(value: str) -> str:
    raw = value.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return value


def _is_in(address: str, networks: Iterable[Network]) -> bool:
    try:
        known = ip_address(address.strip("[]"))
    except ValueError:
        return False
    # An IPv4 client of a socket for both is written as IPv6.
    known = getattr(known, "ipv4_mapped", None) or known
    return any(known in network for network in networks)


def _same_origin(origin: str, host: str) -> bool:
    scheme, separator, place = origin.lower().partition("://")
    default = {"http": ":80", "https": ":443"}.get(scheme)
    if not separator or default is None:
        return False
    return place.removesuffix(default) == host.lower().removesuffix(default)
