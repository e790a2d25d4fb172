"""What every way of asking a model looks like to the rest of the program."""

from typing import Literal, Protocol

from tagger.imaging.picture import Picture
from tagger.records import Answer, ServerState


class Backend(Protocol):
    """One model on one server, or the built-in one. Threads may share it.

    `name` is what people call it. `parallel` is how many pictures it is meant to have
    at a time; `auto`: as many as serve it best. Of several that are free, the one of
    the greatest `weight` is asked. `prompt_version` changes whenever the same picture
    may get another answer for our own reasons.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def parallel(self) -> int | Literal["auto"]: ...

    @property
    def weight(self) -> float: ...

    @property
    def side_px(self) -> int: ...

    @property
    def prompt_version(self) -> str: ...

    def check(self) -> ServerState:
        """Is the server there, has it the model, can the model see? Never raises."""
        ...

    def describe(self, picture: Picture, path: bytes) -> Answer:
        """Ask once what the picture shows; `path` only names it in errors.

        Raises `ModelUnavailable` (or its `ModelMissing`), `RequestRefused`, and
        `UnusableAnswer` when the answer did not fit three times.
        """
        ...

    def hang_up(self) -> None:
        """End the questions under way: they fail as if the server had ended them."""
        ...

    def close(self) -> None:
        """Give back connections and memory."""
        ...
