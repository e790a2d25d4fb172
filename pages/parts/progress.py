"""Progress: the tagger's state in the sidebar, kept fresh without running the page."""

import streamlit as st

from pages.parts import who
from pages.parts.component import component
from tagger.acting import Role
from tagger.records import Status

STATUS_URL = "/api/status"
QUEUE_URL = "/api/queue"

_progress = component(
    "progress",
    """
    <div class="progress" data-testid="progress" data-state="idle">
      <span class="dot" aria-hidden="true"></span>
      <span class="state" role="status" data-testid="progress-state"></span>
      <span class="count" data-testid="progress-count"></span>
      <div class="bar" role="progressbar" aria-label="Photos done" aria-valuemin="0"
           aria-valuemax="100" data-testid="progress-bar" hidden><div></div></div>
      <span class="rate" data-testid="progress-rate" hidden></span>
      <span class="message" data-testid="progress-message" hidden></span>
      <span class="message" data-testid="progress-backend" hidden></span>
      <button class="switch" type="button" data-testid="progress-switch" hidden>
        Pause</button>
      <button class="refresh" type="button" data-testid="progress-refresh" hidden>
        Show what is new</button>
    </div>
    """,
)


def show(status: Status) -> None:
    """Mount the line; `status` is what the page around it was made from."""
    settled = status.tagged + status.review + status.not_written + status.failed
    with st.sidebar:
        _progress(
            data={
                "url": STATUS_URL,
                "queue": QUEUE_URL,
                "settled": settled,
                "may_steer": who.may(Role.EDITOR),
            },
            key="shell_progress",
            on_refresh_change=_run_again,
        )


def _run_again() -> None:
    """The click itself runs the page again."""
