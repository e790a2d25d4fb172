"""Everything tagger raises on purpose, arranged by who has to react.

    TaggerError
    ├── ConfigError               the user must edit a setting; nothing starts
    ├── UsageError                the user asked for what cannot be done; says why
    │   ├── QueryError            a search that cannot be read; points at the place
    │   └── SqlError              SQL that is refused or fails; shows the place
    ├── Forbidden                 whoever asks may not do that; nothing is done
    ├── DataError                 the data folder is unusable: in use, too new
    │   └── DataFull              no room left in the data folder; the run pauses
    ├── ModelUnavailable          the tagger waits and asks again; no image is blamed
    │   ├── ModelMissing          the server is there, the model is not
    │   └── ModelBusy             the server has no room for one more question now
    ├── ExiftoolUnavailable       metadata writing is off until exiftool can be run
    └── ImageError                this image is recorded as failed; the next one runs
        ├── UnreadableImage       its bytes do not decode
        ├── UnusableAnswer        the model replied, but not with tags
        ├── RequestRefused        the server will never take this request (HTTP 400)
        ├── ServerFails           a server that works otherwise fails on this photo
        ├── FileChanged           the file changed while it was worked on; queued again
        └── MetadataNotWritten    exiftool refused; the file is as it was

Anything else that escapes is a bug, and ends the tagger with a traceback.
"""

import os

_AROUND = 60  # characters of a long search shown on each side of a mistake


def shown(path: bytes | str | os.PathLike[str]) -> str:
    """A path as people read it: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")


class TaggerError(Exception):
    """Base of all errors that are meant for a person; its text is shown as it is."""


class ConfigError(TaggerError):
    """A setting is unknown or has a value that is not allowed."""


class UsageError(TaggerError):
    """A request that cannot be carried out; the text says why and what to do."""


class QueryError(UsageError):
    """A search that cannot be read. `column`, from 1, is where; `advice` what to do."""

    def __init__(self, query: str, column: int, advice: str) -> None:
        super().__init__(f"Place {column}: {advice}")
        self.query = query
        self.column = column
        self.advice = advice

    @property
    def pointer(self) -> str:
        """The search, or the part around the place, and a caret below the place."""
        start = max(0, self.column - 1 - _AROUND)
        part = self.query[start : self.column - 1 + _AROUND]
        line = "".join(c if c.isprintable() else " " for c in part)
        return f"{line}\n{' ' * (self.column - 1 - start)}^"


class SqlError(UsageError):
    """A person's SQL that is refused, or fails. `pointer` shows the place, if known."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class Forbidden(TaggerError):
    """The person who asks has not the role for it; the text says which it takes."""


class DataError(TaggerError):
    """The data folder cannot be used: held by another process, too new, on a share."""


class DataFull(DataError):
    """The disk under the data folder is full; the run pauses until there is room."""


class ModelUnavailable(TaggerError):
    """No answer can be had from the model server now; waiting may help.

    `may_pass` is False where only a person can help (a refused key, a wrong address);
    `retry_after_s` is the wait the server itself asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        may_pass: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.may_pass = may_pass
        self.retry_after_s = retry_after_s


class ModelMissing(ModelUnavailable):
    """The server answers, but does not have the model."""


class ModelLost(ModelUnavailable):
    """The server broke off while it was asked; it may have crashed."""


class ModelBusy(ModelUnavailable):
    """The server works, and takes no more questions at the moment."""


class ExiftoolUnavailable(TaggerError):
    """exiftool is not installed or cannot be started."""


class ImageError(TaggerError):
    """One image cannot be finished. `reason` is a clause a person understands."""

    def __init__(self, path: bytes | str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{shown(os.path.basename(os.fsencode(path)))}: {reason}")
        self.path = os.fsencode(path)
        self.reason = reason


class UnreadableImage(ImageError):
    """The bytes of the file do not decode to a picture."""


class UnusableAnswer(ImageError):
    """The model replied three times, but never in the agreed form."""


class RequestRefused(ImageError):
    """The server refused the request for good (HTTP 400 and the like)."""


class ServerFails(ImageError):
    """A server that works otherwise fails on this photo."""


class FileChanged(ImageError):
    """The file is not what it was when its pixels were read; it is queued again."""


class MetadataNotWritten(ImageError):
    """The words could not be put into the file or a sidecar; the file is as it was."""
