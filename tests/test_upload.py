"""One picture sent to the API is described, whatever it is, and nothing is kept."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tagger.web import turns
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_imaging import huge_png
from tests.support_web import Library, library, served, settings_file, until

ANSWER = {"description": "A dog.", "tags": ["Dog", "grass"], "text": "STOP"}
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(ANSWER) as double:
        yield double


@pytest.fixture
def place(
    tmp_path: Path, ollama: OllamaDouble, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    server = (
        f'[[servers]]\nname = "one"\nurl = "{ollama.url}"\nmodel = "gemma3:4b"\n'
        "[tagger]\nmax_megapixels = 20\n"
    )
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path, server)))
    with library(tmp_path) as made:
        yield made


@pytest.fixture
def api(place: Library) -> Iterator[httpx.Client]:
    with served() as client:
        client.timeout = httpx.Timeout(60)
        yield client


def left(place: Library) -> list[str]:
    """Unfinished uploads in the data folder."""
    return [path.name for path in place.opened.config.data_dir.glob(".upload-*")]


@pytest.mark.parametrize("kind", ["jpeg", "png", "heic", "webp", "tiff"])
def test_a_picture_of_any_format_is_described_and_forgotten(
    api: httpx.Client, place: Library, tmp_path: Path, kind: str
) -> None:
    data = Path(support_imaging.make(kind, tmp_path).decode()).read_bytes()
    header = {"content-type": "application/octet-stream"}

    answer = api.post("/api/tag", content=data, headers=header)

    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["description"], said["text"]) == ("A dog.", "STOP")
    assert [tag["name"] for tag in said["tags"]] == ["dog", "grass"]
    assert (said["backend"], said["model"]) == ("ollama", "gemma3:4b")
    assert left(place) == []
    assert api.get("/api/images").json()["total"] == 0


def test_a_server_can_be_named_and_the_built_in_model_too(
    api: httpx.Client, tmp_path: Path
) -> None:
    data = Path(support_imaging.make("jpeg", tmp_path).decode()).read_bytes()
    for server, backend in (("one", "ollama"), ("builtin", "builtin")):
        said = api.post(f"/api/tag?server={server}", content=data, headers=JPEG).json()
        assert said["backend"] == backend
    refused = api.post("/api/tag?server=nobody", content=data, headers=JPEG)
    assert refused.status_code == 422
    assert "there is no server nobody" in refused.json()["detail"]


@pytest.mark.parametrize("kind", ["text", "nothing", "cut", "bomb"])
def test_what_is_no_picture_is_refused_with_a_sentence(
    api: httpx.Client, place: Library, tmp_path: Path, kind: str
) -> None:
    whole = Path(support_imaging.make("jpeg", tmp_path).decode()).read_bytes()
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(huge_png(30_000, 30_000))
    data = {
        "text": b"<script>alert(1)</script>",
        "nothing": b"",
        "cut": whole[:200],
        "bomb": bomb.read_bytes(),
    }[kind]

    answer = api.post("/api/tag", content=data, headers=JPEG)

    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert "picture" in detail
    assert ".upload-" not in detail
    assert left(place) == []


@pytest.mark.parametrize(
    "header",
    [
        {"content-type": "text/plain"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "image/jpeg", "origin": "http://evil.example"},
        {"content-type": "image/jpeg", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_page_of_another_site_can_send_none(
    api: httpx.Client, ollama: OllamaDouble, header: dict[str, str]
) -> None:
    answer = api.post("/api/tag", content=b"x" * 100, headers=header)
    assert answer.status_code in (403, 415)
    other = api.post("/api/queue/pause", content=b"x", headers=JPEG)
    assert other.status_code == 415


def test_a_picture_too_large_is_refused_before_it_is_sent(api: httpx.Client) -> None:
    url = api.base_url
    connection = http.client.HTTPConnection(url.host, url.port, timeout=20)
    connection.putrequest("POST", "/api/tag")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"256 MiB" in answer.read()
    connection.close()


def test_pictures_that_come_slowly_keep_nobody_from_being_described(
    api: httpx.Client, place: Library, tmp_path: Path
) -> None:
    data = Path(support_imaging.make("jpeg", tmp_path).decode()).read_bytes()
    url = api.base_url
    slow = []
    for number in range(6):
        # Three others, as far as the app can tell.
        source = (f"127.0.0.{2 + number // 2}", 0)
        one = http.client.HTTPConnection(url.host, url.port, source_address=source)
        one.putrequest("POST", "/api/tag")
        one.putheader("Content-Type", "image/jpeg")
        one.putheader("Content-Length", str(len(data)))
        one.endheaders()
        one.send(data[:100])
        slow.append(one)
    until(lambda: turns.RECEIVING.on() == 6)
    assert turns.DESCRIBING.on() == 0
    for one in slow[:2]:
        one.send(data[100:])
        assert one.getresponse().status == 200
    assert api.post("/api/tag", content=data, headers=JPEG).is_success
    for one in slow:
        one.close()
    until(lambda: turns.RECEIVING.on() == 0)
    assert left(place) == []
