"""The shipped nginx configuration in a real nginx, on ports of the test's own."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tagger.web import pictures
from tests.support_web import ROOT, free_port, library, until

SHIPPED = ROOT / "deploy" / "nginx" / "image-tagger.conf"
# Debian keeps it where the PATH of people does not lead.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {site};
}}
"""


@dataclass(frozen=True)
class Proxy:
    """nginx in front of an app."""

    port: int
    plain_port: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    @contextmanager
    def client(self, **headers: str) -> Iterator[httpx.Client]:
        with httpx.Client(
            base_url=self.url,
            verify=self.tls,
            headers=headers,
            timeout=30,
            trust_env=False,
        ) as client:
            yield client


@contextmanager
def nginx(folder: Path, app_url: str) -> Iterator[Proxy]:
    """The shipped example, with nothing but ports, name and certificate changed."""
    folder.mkdir()
    certificate, key = _certificate(folder)
    proxy = Proxy(free_port(), free_port(), certificate)
    changed = {
        "server 127.0.0.1:8501;": f"server {httpx.URL(app_url).netloc.decode()};",
        "listen 443 ": f"listen 127.0.0.1:{proxy.port} ",
        "listen [::]:443 ": f"listen 127.0.0.2:{proxy.port} ",
        "listen 80 ": f"listen 127.0.0.1:{proxy.plain_port} ",
        "listen [::]:80 ": f"listen 127.0.0.2:{proxy.plain_port} ",
        "/etc/ssl/certs/photos.example.org.pem": str(certificate),
        "/etc/ssl/private/photos.example.org.key": str(key),
        "photos.example.org": "localhost",
    }
    text = SHIPPED.read_text("utf-8")
    for shipped, here in changed.items():
        assert shipped in text, f"{SHIPPED.name} says nothing of {shipped}"
        text = text.replace(shipped, here)
    with _running(folder, text, proxy.plain_port):
        yield proxy


@contextmanager
def bare_nginx(folder: Path, app_url: str) -> Iterator[str]:
    """A proxy of one line, which tells the app nothing of whom it speaks for."""
    folder.mkdir()
    port = free_port()
    listens = f"listen 127.0.0.1:{port};"
    text = f"server {{ {listens} location / {{ proxy_pass {app_url}; }} }}"
    with _running(folder, text, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(folder: Path, text: str, port: int) -> Iterator[None]:
    """nginx with this configuration, once it listens on `port`."""
    assert NGINX is not None, "the checks need nginx: sudo apt install nginx-light"
    site, around = folder / "site.conf", folder / "nginx.conf"
    site.write_text(text, "utf-8")
    user = "user root;" if os.getuid() == 0 else ""
    around.write_text(AROUND.format(folder=folder, site=site, user=user), "utf-8")
    with (
        (folder / "nginx.log").open("wb") as log,
        subprocess.Popen(
            [NGINX, "-e", "stderr", "-p", str(folder), "-c", str(around)], stderr=log
        ) as process,
    ):
        try:
            until(lambda: _listens(port) or process.poll() is not None)
            assert process.poll() is None, (folder / "nginx.log").read_text()
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "tls.pem", folder / "tls.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def screens(proxy: Proxy, headers: Mapping[str, str]) -> int:
    """The status that opening the screens' websocket through the proxy gets."""
    lines = {
        "Host": f"localhost:{proxy.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as plain,
        proxy.tls.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{text}\r\n".encode())
        return int(secure.recv(4096).split()[1])


def photo(tmp_path: Path) -> str:
    """A library of one photo; the address of its thumbnail."""
    with library(tmp_path) as photos:
        image = pictures.find(photos.opened, photos.photo("a.jpg", "dog"))
        assert image is not None
        address = pictures.thumbnail_url(image)
        assert address is not None
        return address
