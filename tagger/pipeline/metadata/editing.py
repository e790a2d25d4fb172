"""Carrying out a plan on one file or sidecar, by the safe procedure and no other.

exiftool writes a copy beside the file; the copy is read back and compared with what was
there and what was intended; it gets the file's attributes and reaches the disk; the
caller makes the intent durable; and if the file is still the one we read, the copy
takes its name. Whatever fails on the way leaves the file as it was.
"""

import contextlib
import html
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tagger.errors import FileChanged, UnreadableImage
from tagger.imaging.identity import identity
from tagger.pipeline.metadata import fields, reading, replacing, verifying
from tagger.pipeline.metadata.exiftool import Died, Exiftool, Reply, entities
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.replacing import Refused
from tagger.records import Intent, StatKey, WriteMode

Result = TypeVar("Result")
# What is not as it should be, of a dump before and one after.
Check = Callable[[Dump, Dump], list[str]]

NEW_DIGEST = b"-Photoshop:IPTCDigest=new"
_PNG = ("PNG", "APNG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file to be changed, or made.

    `command` is the change in exiftool's language, `check` tells whether it was done,
    and nothing else. `found` is the file's stat, None for a sidecar that does not exist
    yet, which then gets the permissions of `photo`, and a folder if `makes_folder`.
    `identity` is the picture's, None for a sidecar.
    """

    target: bytes
    mode: WriteMode
    command: Sequence[bytes]
    check: Check
    before: Dump
    found: os.stat_result | None
    photo: os.stat_result
    makes_folder: bool = False
    identity: str | None = None
    added_tags: tuple[str, ...] = ()
    wrote_description: str | None = None

    @property
    def expect(self) -> StatKey | None:
        return StatKey.of(self.found) if self.found else None


def dumps(
    exiftool: Exiftool, paths: Sequence[bytes], what: Sequence[bytes] = ()
) -> list[Dump]:
    """What exiftool sees in files, in their order.

    Raises `Refused` if it cannot say, `NoReply` if it hangs.
    """
    reply = _again_if_killed(
        lambda: exiftool.execute([*(what or reading.EVERYTHING), *paths])
    )
    try:
        found = reading.parse(reply.output)
    except ValueError as error:
        raise Refused(f"its metadata cannot be read ({error})") from error
    if len(found) != len(paths):
        raise Refused(f"its metadata cannot be read ({_reason(reply)})")
    return found


@contextlib.contextmanager
def prepared(
    exiftool: Exiftool, edit: Edit, *, keep_time: bool
) -> Iterator[tuple[bytes, Dump, Intent]]:
    """The finished copy, what it holds, and the intent to be made durable.

    The copy is gone afterwards, if it has not taken the file's name. Raises `Refused`
    or `OSError` if the file cannot be written, `NoReply` if exiftool hangs or dies,
    `FileChanged` if the picture is another one.
    """
    folder = os.path.dirname(edit.target)
    replacing.check_folder(folder, edit.found.st_size if edit.found else 0)
    replacing.check_untouched(edit.target, edit.expect)
    suffix = b".xmp" if edit.mode is WriteMode.SIDECAR else b".tmp"
    with replacing.temporary_beside(edit.target, suffix=suffix) as copy:
        _again_if_killed(lambda: _make(exiftool, edit, copy))
        after = _verified(exiftool, edit, copy)
        _dress(edit, copy, keep_time=keep_time)
        yield copy, after, _intent(edit, after, copy)


def carry_out(
    exiftool: Exiftool,
    edit: Edit,
    *,
    keep_time: bool,
    on_intent: Callable[[Intent], None],
) -> tuple[Dump, StatKey]:
    """Make the edit; what the file holds then, and its new stat key.

    Raises as `prepared`, and what `on_intent` raises: nothing was changed then.
    """
    with contextlib.ExitStack() as stack:
        with replacing.trouble(edit.target):
            if edit.makes_folder:
                stack.enter_context(replacing.folder_for(edit.target))
            copy, after, intent = stack.enter_context(
                prepared(exiftool, edit, keep_time=keep_time)
            )
        on_intent(intent)
        with replacing.trouble(edit.target):
            return after, replacing.replace(copy, edit.target, expect=edit.expect)


def _again_if_killed(ask: Callable[[], Result]) -> Result:
    """Ask once more if exiftool was killed from outside: the file is not to blame."""
    try:
        return ask()
    except Died:
        return ask()


def _make(exiftool: Exiftool, edit: Edit, copy: bytes) -> None:
    """Let exiftool write the changed copy."""
    replacing.discard(copy)
    command = [*edit.command]
    if edit.before.format in _PNG and not verifying.has_late_text(edit.target):
        command.append(b"-fast")  # without it each checksum is computed, in Perl
    if edit.found is None:
        command.append(copy)
    else:
        # As an output name exiftool would expand a `%d` in a folder's name; `%d` itself
        # it replaces by the folder of the source, which is the one that is meant.
        command += [b"-o", b"%d" + os.path.basename(copy), edit.target]
    reply = exiftool.execute(command)
    if reply.status or not os.path.exists(copy):
        raise Refused(f"exiftool refused to write it ({_reason(reply)})")
    if NEW_DIGEST in edit.command and edit.before.format == "TIFF":
        _correct_digest(exiftool, copy)


def _correct_digest(exiftool: Exiftool, copy: bytes) -> None:
    """Count in the filling of a TIFF's IPTC, which exiftool forgets when it writes."""
    what = [b"-X", b"-G1", f"-{fields.CURRENT_IPTC_DIGEST}".encode()]
    digest = dumps(exiftool, [copy], what)[0].text(fields.CURRENT_IPTC_DIGEST) or ""
    assign = f"-{fields.IPTC_DIGEST}={digest}".encode()
    reply = exiftool.execute([assign, b"-q", b"-overwrite_original", copy])
    if reply.status:
        raise Refused(f"exiftool refused to write it ({_reason(reply)})")


def assignments(plan: Plan, before: Dump) -> list[bytes]:
    """The plan in exiftool's language, every value as entities."""
    command = [b"-E", b"-q"]
    for name, entries in plan.remove.items():
        command += [f"-{name}-=".encode() + entities(entry) for entry in entries]
    for name, entries in plan.add.items():
        command += [f"-{name}+=".encode() + entities(entry) for entry in entries]
    for name, text in plan.put.items():
        command.append(f"-{assigned(name)}=".encode() + entities(text))
    for name, entries in plan.lists.items():
        command += [f"-{name}=".encode() + entities(entry) for entry in entries or [""]]
    iptc = [name for name in plan.touched if name.startswith("IPTC:")]
    if iptc and not (reading.iptc_is_marked(before) or reading.iptc_is_foreign(before)):
        command.append(b"-IPTC:CodedCharacterSet=UTF8")
    taken = [*plan.remove, *(name for name, text in plan.put.items() if not text)]
    command += held_blocks(before, taken=taken, besides=plan.touched)
    digest = before.text(fields.IPTC_DIGEST)
    if iptc and digest and digest == before.text(fields.CURRENT_IPTC_DIGEST):
        # Otherwise Adobe's programs would think IPTC newer than XMP, and read it only.
        command.append(NEW_DIGEST)
    return command


def held_blocks(
    before: Dump, *, taken: Collection[str], besides: Collection[str]
) -> list[bytes]:
    """Keep exiftool from deleting the rest of a block that fields are taken out of.

    Of a block with nothing but defaults left in it, it thinks that nobody wants it,
    unless one of them is written. They may be the person's. `taken` are the fields
    that go, `besides` those that the command writes anyhow.
    """
    command = []
    for defaults in fields.BLOCK_DEFAULTS:
        group = defaults[0].partition(":")[0]
        block = {name for name in before.values if name.startswith(group + ":")}
        # A block of IPTC is made of records, each of which can go by itself.
        at_risk = group == "IPTC" or block - {*taken} <= {*defaults}
        held = [name for name in defaults if name in block - {*besides}]
        if at_risk and held and block & {*taken}:
            value = before.text(held[0]) or ""
            command.append(f"-{held[0]}#=".encode() + entities(value))
    return command


def assigned(name: str) -> str:
    """The name to write to: without a language exiftool removes all the others."""
    return f"{name}-x-default" if name == fields.XMP_DESCRIPTION else name


def _verified(exiftool: Exiftool, edit: Edit, copy: bytes) -> Dump:
    """What the copy holds, after proof that it is what it should be."""
    (after,) = dumps(exiftool, [copy])
    wrong = edit.check(edit.before, after)
    if after.error or wrong:
        found = after.error or ", ".join(wrong[:5])
        raise Refused(f"what exiftool wrote did not pass the check ({found})")
    if edit.identity is None or edit.found is None:
        return after
    try:
        if identity(copy) != edit.identity:
            if identity(edit.target) != edit.identity:
                raise FileChanged(edit.target, "its picture is not the one looked at")
            raise Refused("what exiftool wrote did not pass the check (the picture)")
    except UnreadableImage as error:
        raise Refused(f"the picture cannot be checked ({error.reason})") from error
    if lost_bytes := verifying.unexplained_loss(edit.target, copy, edit.before, after):
        raise Refused(f"exiftool would leave out {lost_bytes} bytes it does not know")
    format = edit.before.format
    if verifying.fixed_parts(copy, format) != verifying.fixed_parts(
        edit.target, format
    ):
        raise Refused("what exiftool wrote did not pass the check (other data in it)")
    return after


def _dress(edit: Edit, copy: bytes, *, keep_time: bool) -> None:
    """Give the copy the attributes of what it replaces, and bring it to the disk."""
    if edit.found is not None:
        replacing.copy_attributes(edit.target, edit.found, copy, keep_time=keep_time)
    else:
        # As private as the photo, and not read-only.
        os.chmod(copy, edit.photo.st_mode & 0o666 | 0o200)
        if os.geteuid() == 0:
            os.chown(copy, edit.photo.st_uid, edit.photo.st_gid)
    replacing.to_disk(copy)


def _intent(edit: Edit, after: Dump, copy: bytes) -> Intent:
    names = verifying.changed_fields(edit.before, after)
    before = {name: edit.before.all(name) for name in names}
    intended = {name: after.all(name) for name in names}
    if edit.found is None:
        # Tells one who undoes it that the file itself is new.
        before[fields.FILE_ITSELF] = ()
        intended[fields.FILE_ITSELF] = (after.format,)
    left = os.stat(copy) if edit.identity is not None else None
    return Intent(
        target=edit.target,
        mode=edit.mode,
        expect=edit.expect,
        before=before,
        intended=intended,
        added_tags=edit.added_tags,
        wrote_description=edit.wrote_description,
        after_hash=replacing.file_hash(copy),
        after_size_bytes=left.st_size if left else None,
        after_mtime_ns=left.st_mtime_ns if left else None,
    )


def _reason(reply: Reply) -> str:
    """exiftool's first complaint, without its label and the file's name."""
    complaints = reply.messages.splitlines() or ["it does not say why"]
    first = next((line for line in complaints if "Error" in line), complaints[0])
    return html.unescape(re.sub(r"^(Error|Warning): (\[minor\] )?| - /.*$", "", first))
