"""Words and names made to give exiftool commands arrive as words and names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tagger.errors import MetadataNotWritten, UnreadableImage
from tagger.pipeline.metadata import Exiftool, Writer
from tagger.records import WriteMode
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import content, everything, field, names, words, written

ATTACKS = [
    'x\n-execute\n-if\nsystem("touch {pwned}")||1\n{victim}',
    "x\n-execute\n-all=\n-overwrite_original\n{victim}",
    "x\r-execute\r-all=\r{victim}",
    "x\n-XMP-dc:Creator=evil",
    "x\n-XMP-dc:Title<={secret}",
    "<={secret}",
    "+=x",
    "<XMP-dc:Subject",
    "&#10;-XMP-dc:Creator=evil",
    "@{secret}",
    "$(touch {pwned}) `touch {pwned}` ${{`touch {pwned}`}}",
    "#[CSTR]-XMP-dc:Creator=evil",
    "-echo\n{{ready1}}\n=0=1",
]


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with Exiftool(Metadata()) as exiftool:
        yield Writer(exiftool, Metadata())


def small_jpeg(folder: Path, name: str | bytes) -> bytes:
    data = support_imaging.encoded(Image.new("RGB", (32, 32), "teal"), "JPEG")
    return support_imaging.put(folder, name, data)


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_that_look_like_commands_are_only_words(
    writer: Writer, tmp_path: Path, attack: str
) -> None:
    photo, victim = small_jpeg(tmp_path, "a.jpg"), small_jpeg(tmp_path, "victim.jpg")
    secret, pwned = tmp_path / "secret", tmp_path / "pwned"
    secret.write_text("top secret")
    untouched = content(victim)
    text = attack.format(
        victim=os.fsdecode(victim), secret=str(secret), pwned=str(pwned)
    )

    done = written(writer, photo, words(text, text, "dog"))

    plain = text.replace("\r", "\n")
    assert field(photo, "XMP-dc:Description") == [plain]
    assert field(photo, "XMP-dc:Subject") == [plain, "dog"]
    assert field(photo, "IFD0:ImageDescription") == [plain]
    assert done.words.tags == (plain, "dog")
    assert content(victim) == untouched
    assert not pwned.exists()
    assert "XMP-dc:Creator" not in everything(photo)
    assert "XMP-dc:Title" not in everything(photo)
    assert b"top secret" not in content(photo)


@pytest.mark.parametrize("attack", ATTACKS)
def test_retiring_words_that_look_like_commands_removes_only_them(
    writer: Writer, tmp_path: Path, attack: str
) -> None:
    photo = small_jpeg(tmp_path, "a.jpg")
    written(writer, photo, words("", attack, "dog"))

    written(writer, photo, words("", "dog", retired=(attack,)))

    assert field(photo, "XMP-dc:Subject") == ["dog"]
    assert field(photo, "IPTC:Keywords") == ["dog"]
    assert field(photo, "XPKeywords") == ["dog"]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_name_with_a_line_break_is_refused_with_the_reason(
    writer: Writer, tmp_path: Path, end: str
) -> None:
    victim = small_jpeg(tmp_path, "a.jpg")
    pwned = tmp_path / "pwned"
    name = f'a.jpg{end}-if{end}system("touch pwned")||1'
    photo = small_jpeg(tmp_path, name)
    before = content(photo), content(victim), names(tmp_path)

    with pytest.raises(UnreadableImage, match="line break"):
        writer.read(photo)
    for mode in (WriteMode.FILE, WriteMode.SIDECAR):
        with pytest.raises(MetadataNotWritten, match="line break"):
            written(writer, photo, words("A dog.", "dog"), mode=mode)

    assert (content(photo), content(victim), names(tmp_path)) == before
    assert not pwned.exists()


def test_a_folder_with_a_line_break_is_refused_even_behind_a_link(
    writer: Writer, tmp_path: Path
) -> None:
    folder = tmp_path / "a\n-all="
    folder.mkdir()
    photo = small_jpeg(folder, "a.jpg")
    link = tmp_path / "link.jpg"
    link.symlink_to(os.fsdecode(photo))

    with pytest.raises(MetadataNotWritten, match="line break"):
        written(writer, os.fsencode(link), words("A dog."))


@pytest.mark.parametrize(
    "name",
    [
        *(b"-execute.jpg", b"-all=", b"#c.jpg", b"#[CSTR]a\\nb.jpg", b" lead.jpg"),
        *(
            b"trail .jpg ",
            b"@args.jpg",
            b"|id",
            b"`id`.jpg",
            b"$x;id.jpg",
            b"caf\xe9.jpg",
        ),
        *(
            b"%d%f.%e",
            b"[ab]*?.jpg",
            b"&amp;&#10;.jpg",
            b"\\.jpg",
            b"no_extension",
            b"\t",
        ),
        *(b"<=x.jpg", b"x.png", b"'\".jpg", b"a.jpg_exiftool_tmp", "日本.jpg".encode()),
    ],
)
@pytest.mark.parametrize("mode", [WriteMode.FILE, WriteMode.SIDECAR])
def test_odd_names_are_written_and_nothing_beside_them(
    writer: Writer, tmp_path: Path, name: bytes, mode: WriteMode
) -> None:
    folder = os.path.join(os.fsencode(tmp_path), name)
    os.mkdir(folder)
    photo = small_jpeg(Path(os.fsdecode(folder)), name)
    bystander = small_jpeg(Path(os.fsdecode(folder)), "a.jpg")
    untouched = content(bystander)

    done = written(writer, photo, words("A dog.", "dog"), mode=mode)

    assert done.words.tags == writer.read(photo).tags == ("dog",)
    expected = {name, b"a.jpg"} | ({name + b".xmp"} if done.target != photo else set())
    assert set(os.listdir(folder)) == expected
    assert names(tmp_path) == [os.fsdecode(name)]
    assert content(bystander) == untouched
