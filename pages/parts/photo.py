"""Photo: one photograph in full, with its words, who said each, and its facts."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from pages.parts import (
    asking,
    copies,
    downloads,
    facts,
    history,
    placemap,
    similar,
    told,
    viewer,
    wording,
    words,
)
from pages.parts.downloads import Download
from tagger.catalogue import questions
from tagger.catalogue.questions import Image
from tagger.records import Facts, ImageState
from tagger.web import pictures, runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """What lies beside a page of a list: marks of the pages there, as it names them.

    `nearest` is the photo next to this page at such a mark.
    """

    previous: str | None
    next: str | None
    nearest: Callable[[str], int | None]


def show_asked(around: Sequence[int], beyond: Beyond | None = None) -> None:
    """Open the photo the address names, if any; `around` is the page it stands on."""
    if st.query_params.get("photo", "").isdecimal():
        _show(list(around), beyond)


def left() -> str | None:
    """Which photo was closed last, and the how manieth closing that was."""
    return st.session_state.get("photo_left")


def _closed() -> None:
    closed = st.query_params.get("photo", "")
    number = st.session_state.get("photo_closings", 0) + 1
    st.session_state["photo_closings"] = number
    st.session_state["photo_left"] = f"{closed}.{number}"
    st.query_params.pop("photo", None)


@st.dialog("Photo", width="large", on_dismiss=_closed)
def _show(around: list[int], beyond: Beyond | None) -> None:
    with told.refusals():
        image = questions.image(
            runtime.current().catalogue, int(st.query_params["photo"])
        )
        if not viewer.is_info_open():
            _picture(image, around, beyond)
            return
        picture, words = st.columns([3, 2], gap="medium")
        with picture:
            _picture(image, around, beyond)
        with words:
            _words(image)


def _picture(image: Image, around: list[int], beyond: Beyond | None) -> None:
    beside = _beside(image.id, around, beyond)
    can_be_read = image.facts is not None and image.state is not ImageState.MISSING
    picture = viewer.Picture(
        id=image.id,
        small=pictures.thumbnail_url(image),
        large=pictures.browser_url(image.id) if can_be_read else None,
        alt=image.description or image.name,
        missing=image.reason or "The file cannot be shown.",
        size_px=_size_px(image),
        lines=_lines(image),
    )
    step = viewer.show(
        picture,
        before=beside.before,
        after=beside.after,
        key="photo_viewer",
    )
    if step is None and viewer.is_info_open():
        step = similar.show(runtime.current().catalogue, image.id)
    if step is None:
        return
    if step in beside.pages:
        # The page it stands on is shown with it, so that one can go on from there.
        st.query_params["photo"] = str(step)
        st.query_params["after"] = beside.pages[step]
        st.rerun()
    _open(step)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """The photos before and after one, and the marks of those on other pages."""

    before: int | None = None
    after: int | None = None
    pages: Mapping[int, str] = field(default_factory=dict)


def _beside(image_id: int, around: list[int], beyond: Beyond | None) -> _Beside:
    if image_id not in around:
        return _Beside()
    at, pages = around.index(image_id), {}
    before = around[at - 1] if at else None
    after = around[at + 1] if at + 1 < len(around) else None
    if before is None and beyond is not None and beyond.previous:
        before = beyond.nearest(beyond.previous)
        pages |= {before: beyond.previous} if before is not None else {}
    if after is None and beyond is not None and beyond.next:
        after = beyond.nearest(beyond.next)
        pages |= {after: beyond.next} if after is not None else {}
    return _Beside(before=before, after=after, pages=pages)


def _open(image_id: int) -> None:
    st.query_params["photo"] = str(image_id)
    st.rerun(scope="fragment")


def _lines(image: Image) -> list[str]:
    """What is told of a photo that fills the screen."""
    taken = (
        wording.day(image.facts.taken_at)
        if image.facts and image.facts.taken_at
        else ""
    )
    tags = ", ".join(tag.name for tag in image.tags)
    return [line for line in (image.description, tags, taken, image.shown_path) if line]


def _size_px(image: Image) -> tuple[int, int] | None:
    known = image.facts
    return (known.width_px, known.height_px) if known else None


def _words(image: Image) -> None:
    app = runtime.current()
    words.show(app, image)
    if image.text:
        st.text(f"Writing in the picture: {image.text}")
    history.show(app, image)
    asking.show(app, image)
    copies.show(app, image)
    facts.show(_facts(image), key="photo_facts")
    placemap.show(app, image)
    original = Download("Download the original", pictures.original_url(image.id))
    downloads.show([original], key="photo_original")


def _facts(image: Image) -> list[tuple[str, str | None]]:
    size = wording.megabytes(image.size_bytes)
    return [
        ("File", image.name),
        ("Folder", os.path.dirname(image.shown_path)),
        *(_of_the_picture(image.facts, size) if image.facts else [("Size", size)]),
        ("Rating", wording.stars(image.rating)),
        ("Sharpness and exposure", wording.of_a_hundred(image.quality)),
        ("Model", "built-in" if image.model == wording.BUILTIN else image.model),
        ("Answered", _answered(image)),
        ("Written", _written(image)),
    ]


def _of_the_picture(known: Facts, size: str) -> list[tuple[str, str | None]]:
    return [
        ("Taken", wording.day(known.taken_at) if known.taken_at else None),
        ("Camera", known.camera),
        ("Lens", known.lens),
        ("Place", wording.place(known.gps) if known.gps else None),
        ("Size", wording.pixels(known.width_px, known.height_px)),
        ("Format", f"{known.format}, {size}"),
    ]


def _answered(image: Image) -> str | None:
    if image.answered_at is None:
        return None
    took = f", in {image.seconds:.1f} s" if image.seconds is not None else ""
    return f"{wording.ago(image.answered_at)}{took}"


def _written(image: Image) -> str | None:
    if image.written_mode is None or image.written_at is None:
        return None
    where = wording.WRITTEN[image.written_mode]
    return f"{where}, {wording.ago(image.written_at)}"
