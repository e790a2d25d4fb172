"""Whatever goes wrong, the photo is what it was, and nothing is left beside it."""

import os
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blake3 import blake3
from PIL import Image

from tagger.errors import ExiftoolUnavailable, FileChanged, MetadataNotWritten
from tagger.imaging.identity import identity
from tagger.pipeline.metadata import Exiftool, Writer, fields, replacing, verifying
from tagger.pipeline.metadata.merging import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.records import Intent, StatKey, WriteMode
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import (
    content,
    everything,
    field,
    names,
    person_writes,
    pixels,
    words,
    written,
)

WANTED = words("A dog on a beach.", "dog", "beach")


@pytest.fixture(scope="module")
def exiftool() -> Iterator[Exiftool]:
    with Exiftool(Metadata()) as running:
        yield running


@pytest.fixture
def writer(exiftool: Exiftool) -> Writer:
    return Writer(exiftool, Metadata())


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return support_imaging.make("jpeg", tmp_path)


# --- what must not be replaced ---


def test_a_read_only_photo_gets_a_sidecar(writer: Writer, photo: bytes) -> None:
    os.chmod(photo, 0o444)
    before = content(photo)

    done = written(writer, photo, WANTED)

    assert content(photo) == before
    assert os.stat(photo).st_mode & 0o777 == 0o444
    assert (done.mode, done.note) == (WriteMode.SIDECAR, "it is read-only")
    assert field(photo + b".xmp", "XMP-dc:Subject") == ["dog", "beach"]


def test_a_read_only_photo_that_has_the_words_needs_no_sidecar(
    writer: Writer, photo: bytes
) -> None:
    written(writer, photo, WANTED)
    os.chmod(photo, 0o444)

    assert not written(writer, photo, WANTED).changed
    assert not os.path.exists(photo + b".xmp")


def test_hard_links_stay_linked(writer: Writer, photo: bytes, tmp_path: Path) -> None:
    os.link(photo, tmp_path / "other.jpg")
    before = content(photo)

    done = written(writer, photo, WANTED)

    assert os.path.samefile(photo, tmp_path / "other.jpg")
    assert content(photo) == before
    assert done.mode is WriteMode.SIDECAR
    assert "hard links" in str(done.note)


def test_a_symbolic_link_stays_a_link(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    link = tmp_path / "elsewhere" / "link.jpg"
    link.parent.mkdir()
    link.symlink_to("../" + os.path.basename(photo).decode())

    done = written(writer, os.fsencode(link), WANTED)

    assert link.is_symlink()
    assert done.target == photo
    assert field(photo, "XMP-dc:Subject") == ["dog", "beach"]
    assert names(link.parent) == ["link.jpg"]


def test_raw_photos_under_a_wrong_name_are_not_written_into(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("tiff", tmp_path, name="raw.tif")
    person_writes(path, "-DNGVersion=1.4.0.0", "-Make=Canon")
    before = content(path)

    done = written(writer, path, WANTED)

    assert content(path) == before
    assert done.mode is WriteMode.SIDECAR


def test_where_neither_can_be_written_the_reason_is_told(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("bmp", tmp_path)
    (tmp_path / "bmp.bmp.xmp").mkdir()

    with pytest.raises(MetadataNotWritten, match=r"BMP.*sidecar"):
        written(writer, path, WANTED)


def test_a_broken_sidecar_is_left_as_it_is(writer: Writer, photo: bytes) -> None:
    sidecar = Path(os.fsdecode(photo + b".xmp"))
    sidecar.write_text("my notes, not XMP")

    with pytest.raises(MetadataNotWritten, match="sidecar"):
        written(writer, photo, WANTED, mode=WriteMode.SIDECAR)

    assert sidecar.read_text() == "my notes, not XMP"


def test_a_read_only_sidecar_is_left_as_it_is(writer: Writer, photo: bytes) -> None:
    person_writes(photo + b".xmp", "-XMP-dc:Subject=mine")
    os.chmod(photo + b".xmp", 0o444)
    before = content(photo + b".xmp")

    with pytest.raises(MetadataNotWritten, match="read-only"):
        written(writer, photo, WANTED, mode=WriteMode.SIDECAR)

    assert content(photo + b".xmp") == before


def test_a_name_too_long_for_a_sidecar_is_told(writer: Writer, tmp_path: Path) -> None:
    path = support_imaging.make("bmp", tmp_path, name="x" * 249 + ".bmp")
    intents: list[Intent] = []

    with pytest.raises(MetadataNotWritten, match="too long"):
        written(writer, path, WANTED, on_intent=intents.append)

    assert len(names(tmp_path)) == 1
    assert intents == []


def test_a_name_too_long_for_a_sidecar_does_not_keep_words_from_the_photo(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("jpeg", tmp_path, name="x" * 251 + ".jpg")

    assert written(writer, path, WANTED).mode is WriteMode.FILE
    assert writer.read(path).tags == ("dog", "beach")


# --- what must be kept ---


def test_mode_owner_attributes_and_time_are_kept(writer: Writer, photo: bytes) -> None:
    os.chmod(photo, 0o640)
    if os.geteuid() == 0:
        os.chown(photo, 1234, 2345)
    os.setxattr(photo, b"user.rating", b"five \0 stars")
    os.utime(photo, ns=(10**18 + 7, 10**18 + 123_456_789))
    before = os.stat(photo)

    done = written(writer, photo, WANTED)

    after = os.stat(photo)
    assert done.mode is WriteMode.FILE
    assert (after.st_mode, after.st_uid, after.st_gid, after.st_mtime_ns) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
        before.st_mtime_ns,
    )
    assert os.getxattr(photo, b"user.rating") == b"five \0 stars"
    assert done.stat == StatKey.of(after)


def test_the_modified_time_moves_where_the_setting_says_so(
    exiftool: Exiftool, photo: bytes
) -> None:
    os.utime(photo, ns=(10**18, 10**18))

    written(Writer(exiftool, Metadata(keep_modified_time=False)), photo, WANTED)

    assert os.stat(photo).st_mtime_ns > 10**18


def test_running_again_touches_nothing(writer: Writer, photo: bytes) -> None:
    written(writer, photo, WANTED)
    before = StatKey.of(os.stat(photo))
    intents: list[Intent] = []

    done = written(writer, photo, WANTED, on_intent=intents.append)

    assert not done.changed
    assert done.stat == before == StatKey.of(os.stat(photo))
    assert intents == []


def test_all_other_metadata_of_a_camera_file_is_kept(
    writer: Writer, tmp_path: Path
) -> None:
    thumbnail = tmp_path / "thumbnail.jpg"
    Image.new("RGB", (160, 120), "teal").save(thumbnail)
    path = support_imaging.put(
        tmp_path,
        "camera.jpg",
        support_imaging.encoded(
            Image.fromarray(support_imaging.painted()),
            "JPEG",
            exif=support_imaging.exif(6),
            comment=b"a comment",
        ),
    )
    person_writes(
        path,
        b"-ThumbnailImage<=" + os.fsencode(thumbnail),
        "-XMP-xmp:Rating=4",
        "-XMP-mwg-rs:RegionName=Ann",
        "-XMP-crs:Exposure2012=+1.25",
        "-IPTC:City=Kyoto",
        "-EXIF:ImageDescription=",
    )
    before = everything(path)

    written(writer, path, WANTED)

    after = everything(path)
    follow = {"XMP-x:XMPToolkit", "File:CurrentIPTCDigest"}
    changed = {name for name in before if before[name] != after.get(name)}
    assert {name for name in changed if not name.endswith("Offset")} <= follow
    assert after["IFD0:Orientation"] == before["IFD0:Orientation"]


def test_bytes_that_exiftool_does_not_know_are_kept(
    writer: Writer, tmp_path: Path
) -> None:
    jpeg = support_imaging.make("jpeg", tmp_path)
    person_writes(jpeg, "-XMP-dc:Subject=mine")
    with open(jpeg, "ab") as file:
        file.write(b"a short film " * 1000)
    png = support_imaging.make("png", tmp_path)
    data = content(png)
    chunk = b"zzZq" + b"private"
    chunk = struct.pack(">I", 7) + chunk + struct.pack(">I", zlib.crc32(chunk))
    support_imaging.put(tmp_path, "png.png", data[:33] + chunk + data[33:])

    for path in (jpeg, png):
        assert written(writer, path, WANTED).mode is WriteMode.FILE

    assert content(jpeg).endswith(b"a short film " * 1000)
    assert chunk in content(png)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_data_hidden_in_a_block_of_metadata_is_not_lost(
    writer: Writer, tmp_path: Path, format: str
) -> None:
    hidden = os.urandom(50_000)
    image = Image.fromarray(support_imaging.painted())
    block = support_imaging.exif().tobytes() + hidden
    data = support_imaging.encoded(image, format, exif=block)
    path = support_imaging.put(tmp_path, f"hidden.{format.lower()}", data)
    before = content(path)
    wanted = words("A dog on a beach.", "dog", own_description="words are not facts")

    done = written(writer, path, wanted)

    assert done.mode is WriteMode.SIDECAR
    assert "bytes it does not know" in str(done.note)
    assert content(path) == before
    assert hidden in content(path)


def test_filling_and_words_of_ours_may_go(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Title=T")
    data = content(photo)
    start = data.index(b"<?xpacket end")
    longer = 30_000
    segment = data.rindex(b"\xff\xe1", 0, start)
    length = int.from_bytes(data[segment + 2 : segment + 4]) + longer
    padded = data[: segment + 2] + length.to_bytes(2) + data[segment + 4 : start]
    filled = padded + b" " * longer + data[start:]
    support_imaging.put(tmp_path_of(photo), "jpeg.jpg", filled)
    written(writer, photo, words("B" * 60_000, "dog"))

    done = written(writer, photo, words("A.", own_description="B" * 60_000))

    assert done.mode is WriteMode.FILE
    assert os.path.getsize(photo) < len(data) + 10_000


def tmp_path_of(path: bytes) -> Path:
    return Path(os.fsdecode(os.path.dirname(path)))


def test_text_behind_the_picture_of_a_png_is_kept_once(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("png", tmp_path)
    data = content(path)
    text = b"tEXt" + b"date:create\0" + b"2024-05-06"
    chunk = (
        struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    )
    support_imaging.put(tmp_path, "png.png", data[:-12] + chunk + data[-12:])

    assert written(writer, path, WANTED).mode is WriteMode.FILE

    assert content(path).count(b"2024-05-06") == 1


def test_a_keyword_list_without_keywords_is_no_obstacle(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.xmp"
    empty.write_text(
        """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag/></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
    )
    person_writes(photo, b"-XMP<=" + os.fsencode(empty))

    assert written(writer, photo, WANTED).mode is WriteMode.FILE
    assert field(photo, "XMP-dc:Subject") == ["dog", "beach"]


# --- others at the same file ---


def edit_elsewhere(path: bytes) -> bytes:
    """Another program replaces the photo, as most do when they save."""
    support_imaging.make("jpeg", Path(os.fsdecode(os.path.dirname(path))), name="new")
    new = os.path.join(os.path.dirname(path), b"new")
    person_writes(new, "-XMP-dc:Title=edited elsewhere")
    os.replace(new, path)
    return content(path)


def test_a_photo_replaced_meanwhile_keeps_the_other_edit(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    edited: list[bytes] = []

    with pytest.raises(FileChanged, match="another program"):
        written(
            writer,
            photo,
            WANTED,
            on_intent=lambda _: edited.append(edit_elsewhere(photo)),
        )

    assert [content(photo)] == edited
    assert names(tmp_path) == ["jpeg.jpg"]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: open(path, "ab").close() or os.utime(path),
        lambda path: os.chmod(path, 0o600),
        lambda path: os.truncate(path, 100),
        lambda path: os.unlink(path),
    ],
    ids=["touched", "mode", "cut", "deleted"],
)
def test_a_photo_changed_meanwhile_is_left_as_it_is_then(
    writer: Writer, photo: bytes, tmp_path: Path, change: Callable[[bytes], None]
) -> None:
    os.chmod(photo, 0o644)

    with pytest.raises(FileChanged):
        written(writer, photo, WANTED, on_intent=lambda _: change(photo))

    assert b"A dog on a beach" not in b"".join(
        content(tmp_path / name) for name in names(tmp_path)
    )
    assert not [name for name in names(tmp_path) if name.startswith(".tagger-")]


def test_a_photo_is_not_replaced_under_a_program_that_has_it_open_to_write(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    before = content(photo)
    with open(photo, "rb+"), pytest.raises(FileChanged, match="open to write"):
        written(writer, photo, WANTED)
    assert content(photo) == before
    with open(photo, "rb"):
        assert written(writer, photo, WANTED).mode is WriteMode.FILE
    assert names(tmp_path) == ["jpeg.jpg"]


def test_a_sidecar_that_appears_meanwhile_is_not_overwritten(
    writer: Writer, photo: bytes
) -> None:
    sidecar = Path(os.fsdecode(photo + b".xmp"))

    with pytest.raises(FileChanged):
        written(
            writer,
            photo,
            WANTED,
            mode=WriteMode.SIDECAR,
            on_intent=lambda _: sidecar.write_text("another program's"),
        )

    assert sidecar.read_text() == "another program's"


def test_a_photo_that_is_not_the_one_looked_at_is_refused(
    writer: Writer, photo: bytes
) -> None:
    looked_at = StatKey.of(os.stat(photo))
    os.utime(photo, ns=(1, 1))

    for mode in (WriteMode.FILE, WriteMode.SIDECAR):
        with pytest.raises(FileChanged, match="after it was looked at"):
            writer.write(
                photo,
                WANTED,
                mode=mode,
                expect=looked_at,
                identity=identity(photo),
                on_intent=lambda intent: None,
            )

    assert field(photo, "XMP-dc:Subject") == []


def test_another_picture_than_the_one_looked_at_is_refused(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    other = support_imaging.make(
        "jpeg", tmp_path, support_imaging.painted(changed=True), name="other.jpg"
    )

    with pytest.raises(FileChanged, match="picture"):
        writer.write(
            photo,
            WANTED,
            mode=WriteMode.FILE,
            expect=None,
            identity=identity(other),
            on_intent=lambda intent: None,
        )

    assert field(photo, "XMP-dc:Subject") == []
    assert names(tmp_path) == ["jpeg.jpg", "other.jpg"]


def test_a_photo_that_is_gone_is_told(writer: Writer, tmp_path: Path) -> None:
    with pytest.raises(FileChanged, match="gone"):
        writer.write(
            os.fsencode(tmp_path / "gone.jpg"),
            WANTED,
            mode=WriteMode.FILE,
            expect=None,
            identity="j1:",
            on_intent=lambda intent: None,
        )


def test_an_intent_that_cannot_be_recorded_stops_the_write(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    before = content(photo)

    def full(intent: Intent) -> None:
        raise OSError("the tracking database is full")

    with pytest.raises(OSError, match="tracking database is full"):
        written(writer, photo, WANTED, on_intent=full)

    assert content(photo) == before
    assert names(tmp_path) == ["jpeg.jpg"]


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError, KeyError])
def test_what_the_recorder_raises_is_not_taken_for_the_photos_fault(
    writer: Writer, photo: bytes, error: type[Exception]
) -> None:
    def broken(intent: Intent) -> None:
        raise error("data/tracking.db")

    with pytest.raises(error, match="tracking"):
        written(writer, photo, WANTED, on_intent=broken)


def test_threads_write_different_photos_through_one_exiftool(
    writer: Writer, tmp_path: Path
) -> None:
    photos = [support_imaging.make("png", tmp_path, name=f"{n}.png") for n in range(6)]

    def write(number: int) -> None:
        written(writer, photos[number], words(f"Photo {number}.", f"tag{number}"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number, path in enumerate(photos):
        assert field(path, "XMP-dc:Subject") == [f"tag{number}"]
        assert field(path, "XMP-dc:Description") == [f"Photo {number}."]


# --- exiftool fails ---

FAULTY_ONCE = """#!{python}
import os, sys, time
if os.path.exists({marker!r}):
    os.execvp("exiftool", ["exiftool", *sys.argv[1:]])
commands = 0
for line in sys.stdin:
    if line.startswith("=${{status}}="):
        number = line.strip().rpartition("=")[2]
    if line.startswith("-execute"):
        commands += 1
        if commands == 2:
            open({marker!r}, "w").close()
            {fault}
        print("12.57\\n{{ready" + number + "}}", flush=True)
        print("=0=" + number, file=sys.stderr, flush=True)
"""


def faulty_once(folder: Path, fault: str) -> str:
    """An exiftool whose first process fails at its first command, later ones work."""
    path, marker = folder / "exiftool", str(folder / "failed")
    path.write_text(
        FAULTY_ONCE.format(python=sys.executable, marker=marker, fault=fault)
    )
    path.chmod(0o755)
    return str(path)


def test_a_photo_is_written_although_exiftool_was_killed_once(
    photo: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("faulty")
    settings = Metadata(exiftool=faulty_once(folder, "os.kill(os.getpid(), 9)"))

    with Exiftool(settings) as exiftool:
        done = written(Writer(exiftool, settings), photo, WANTED)

    assert names(folder) == ["exiftool", "failed"]
    assert done.mode is WriteMode.FILE
    assert field(photo, "XMP-dc:Subject") == ["dog", "beach"]


def test_a_photo_at_which_exiftool_hangs_is_told_and_the_next_one_written(
    photo: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("faulty")
    settings = Metadata(exiftool=faulty_once(folder, "time.sleep(600)"), timeout_s=5)
    before = content(photo)

    with Exiftool(settings) as exiftool:
        writer = Writer(exiftool, settings)
        with pytest.raises(MetadataNotWritten, match="did not answer within 5 s"):
            written(writer, photo, WANTED)
        assert content(photo) == before
        assert written(writer, photo, WANTED).mode is WriteMode.FILE


def test_without_exiftool_the_photo_is_not_blamed(photo: bytes) -> None:
    settings = Metadata(exiftool="no-such-exiftool")
    writer = Writer(Exiftool(settings), settings)

    with pytest.raises(ExiftoolUnavailable, match="apt install"):
        written(writer, photo, WANTED)
    with pytest.raises(ExiftoolUnavailable, match="apt install"):
        writer.read(photo)


KILLED = """
import os, signal, sys
from tagger.sections import Metadata
from tagger.imaging.identity import identity
from tagger.pipeline.metadata import Exiftool, Writer
from tagger.records import WantedWords, WriteMode
photo = os.fsencode(sys.argv[1])

def killed(intent):
    print(intent.after_hash, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

Writer(Exiftool(Metadata()), Metadata()).write(
    photo, WantedWords(description="A dog.", tags=("dog",)), mode=WriteMode.FILE,
    expect=None, identity=identity(photo), on_intent=killed)
"""


def test_a_tagger_killed_before_the_replace_leaves_the_photo_and_a_trace_to_remove(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    before = content(photo)

    done = subprocess.run(
        [sys.executable, "-c", KILLED, os.fsdecode(photo)], capture_output=True
    )

    assert done.returncode == -9
    assert content(photo) == before
    (left,) = [name for name in names(tmp_path) if name != "jpeg.jpg"]
    # The intent can be settled: the hash it names is not the photo's.
    assert writer.file_hash(photo) != done.stdout.decode().strip()
    assert writer.file_hash(os.fsencode(tmp_path / left)) in done.stdout.decode()
    assert writer.remove_stale(os.fsencode(tmp_path)) == [os.fsencode(tmp_path / left)]
    assert names(tmp_path) == ["jpeg.jpg"]


def test_only_stale_temporaries_of_ours_are_removed(
    writer: Writer, tmp_path: Path
) -> None:
    hexadecimal = "0123456789abcdef" * 2
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    stale = f".tagger-{ended.pid}-{hexadecimal}.tmp"
    kept = [
        f".tagger-{os.getppid()}-{hexadecimal}.xmp",
        ".tagger-holiday.jpg",
        "photo.jpg",
    ]
    for name in (stale, *kept):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / f".tagger-{ended.pid}-{hexadecimal[::-1]}.tmp").mkdir()
    photo = os.fsencode(tmp_path / "photo.jpg")

    with replacing.temporary_beside(photo, suffix=b".tmp") as copy:
        for path in (copy, copy + b"_exiftool_tmp"):
            Path(os.fsdecode(path)).write_bytes(b"x")
        removed = writer.remove_stale(os.fsencode(tmp_path))
        assert removed == [os.fsencode(tmp_path / stale)]
        assert set(kept) < set(names(tmp_path))
        assert os.path.exists(copy)
        assert os.path.exists(copy + b"_exiftool_tmp")


def test_a_copy_that_was_given_up_where_it_could_not_be_removed_is_stale(
    writer: Writer, tmp_path: Path
) -> None:
    folder, aside = tmp_path / "photos", tmp_path / "aside"
    folder.mkdir()
    photo = os.fsencode(folder / "a.jpg")
    with replacing.temporary_beside(photo, suffix=b".tmp") as copy:
        Path(os.fsdecode(copy)).write_bytes(b"x")
        folder.rename(aside)  # a disk that is pulled out
    aside.rename(folder)

    assert writer.remove_stale(os.fsencode(folder)) == [copy]


def test_a_full_disk_is_found_out_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not enough room"):
        replacing.check_folder(os.fsencode(tmp_path), 1 << 60)


# --- the check of the copy ---

BEFORE = Dump(
    {
        "IFD0:Artist": ("Ann",),
        "IFD1:ThumbnailOffset": ("100",),
        fields.SUBJECT: ("b", "a"),
    }
)
PLAN = Plan(add={fields.SUBJECT: ("dog",)})


@pytest.mark.parametrize(
    ("after", "wrong"),
    [
        ({fields.SUBJECT: ("b", "a", "dog")}, []),
        ({fields.SUBJECT: ("b", "dog", "a")}, []),
        ({"IFD1:ThumbnailOffset": ("200",)}, []),
        ({"IFD0:XResolution": ("72",)}, []),
        ({fields.SUBJECT: ("a", "b", "dog")}, [fields.SUBJECT]),
        ({fields.SUBJECT: ("b", "dog")}, [fields.SUBJECT]),
        ({fields.SUBJECT: ("b", "a")}, [fields.SUBJECT]),
        ({fields.SUBJECT: ("b", "a", "dog", "dog")}, [fields.SUBJECT]),
        ({"IFD0:Artist": ("Bob",)}, ["IFD0:Artist"]),
        ({"IFD0:Artist": ()}, ["IFD0:Artist"]),
        ({"IFD1:ThumbnailOffset": ()}, ["IFD1:ThumbnailOffset"]),
    ],
)
def test_a_copy_that_lost_or_changed_something_is_found_out(
    after: dict[str, tuple[str, ...]], wrong: list[str]
) -> None:
    done = {**BEFORE.values, fields.SUBJECT: ("b", "a", "dog")}

    assert verifying.differences(BEFORE, Dump({**done, **after}), PLAN) == wrong


@pytest.mark.parametrize(
    "kind", ["jpeg", "png", "webp", "mpo", "apng", "webp-animated"]
)
def test_the_parts_that_stay_are_hashed_to_the_last_byte(
    tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    format = {"j": "JPEG", "m": "JPEG", "p": "PNG", "a": "PNG", "w": "WEBP"}[kind[0]]
    data = content(path)
    before = verifying.fixed_parts(path, format)

    assert before != blake3(b"").hexdigest()
    for position in (len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[position] ^= 1
        support_imaging.put(tmp_path, os.path.basename(path), bytes(changed))
        assert verifying.fixed_parts(path, format) != before
    support_imaging.put(tmp_path, os.path.basename(path), data + b"trailer")
    assert verifying.fixed_parts(path, format) != before


def test_pixels_are_equal_in_every_frame(writer: Writer, tmp_path: Path) -> None:
    for kind in ("apng", "webp-animated", "gif-animated", "tiff-pages"):
        path = support_imaging.make(kind, tmp_path)
        before = pixels(path), identity(path)

        written(writer, path, WANTED)

        assert (pixels(path), identity(path)) == before
