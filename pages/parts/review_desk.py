"""Review desk: one photo with what is proposed for it, decided by click or key.

The browser asks for the photos and sends each decision by itself, so that the next one
is there at once and no run of the page is waited for. Deciding of all that is found at
once is done here.
"""

import streamlit as st

from pages.parts import edit_told, review_filters, who
from pages.parts import told as telling
from pages.parts.component import component
from pages.parts.wording import BUILTIN, STATES
from tagger.catalogue import questions
from tagger.records import ImageState
from tagger.texts import LONGEST_DESCRIPTION
from tagger.tracking import reviewing
from tagger.tracking.edits import LONGEST_TAG
from tagger.tracking.reviewing import Decision
from tagger.web.runtime import Runtime

URL, EDITS_URL = "/api/review", "/api/edits"
# So long a file is left alone after a decision, which can be taken back meanwhile.
UNDO_WITHIN_S = 10
_KEY = "review_desk"
_ROUND = "review_round"

_desk = component(
    "review",
    """
    <div class="review" tabindex="0" role="group" data-testid="review"
         aria-label="Review: 1 accepts, 2 corrects, 3 rejects, arrow keys step without
deciding, Z undoes the last decision">
      <div class="top">
        <p class="count" role="status" data-testid="review-count"></p>
        <p class="said" role="status" data-testid="review-said"></p>
        <button class="undo plain" type="button" data-testid="review-undo" hidden
                >Undo <kbd>Z</kbd></button>
      </div>
      <p class="news" role="alert" data-testid="review-news" hidden></p>
      <div class="desk" hidden>
        <div class="stage"><img data-testid="review-photo" alt="" hidden>
          <p class="none" hidden>This photo cannot be shown.</p></div>
        <div class="side">
          <h2 class="name" data-testid="review-name"></h2>
          <p class="by"></p>
          <section aria-label="Description proposed">
            <h3 class="whose">Proposed</h3>
            <p class="then" data-testid="review-proposed"></p>
            <div class="editor" hidden>
              <textarea rows="4" aria-label="Description"
                        data-testid="review-description"></textarea>
            </div>
          </section>
          <section class="present" aria-label="The other description">
            <h3 class="other">Now</h3><p class="now" data-testid="review-now"></p>
          </section>
          <section aria-label="Tags">
            <h3>Tags</h3>
            <ul class="tags" data-testid="review-tags"></ul>
            <div class="editor" hidden>
              <input type="text" aria-label="Add a tag" placeholder="Add a tag"
                     autocomplete="off" spellcheck="false" data-testid="review-add">
            </div>
            <p class="hint">A click keeps a tag or leaves it out. + is new to the
              photo.</p>
          </section>
          <p class="seen" hidden></p>
          <div class="keys first">
            <button class="accept" type="button" data-testid="review-accept"
                    ><span class="does">Accept</span> <kbd>1</kbd></button>
            <button class="correct plain" type="button" data-testid="review-correct"
                    >Correct <kbd>2</kbd></button>
            <button class="reject plain" type="button" data-testid="review-reject"
                    >Reject <kbd>3</kbd></button>
          </div>
          <div class="keys">
            <button class="before plain" type="button" aria-label="Previous photo"
                    ><kbd>&larr;</kbd></button>
            <button class="after plain" type="button" aria-label="Next photo"
                    ><kbd>&rarr;</kbd></button>
            <p class="hint">Without deciding. In a line: Enter takes it, Escape
              leaves.</p>
          </div>
        </div>
      </div>
      <div class="end" hidden>
        <h2>All reviewed</h2>
        <p>Nothing waits here any more. What you accepted is being written.</p>
      </div>
    </div>
    """,
)


def show(query: str, folder_id: int | None, total: int) -> None:
    """The desk, for the photos that wait and are meant."""
    _desk(
        data={
            "url": URL,
            "edits": EDITS_URL,
            "q": query,
            "folder_id": folder_id,
            "total": total,
            "round": st.session_state.get(_ROUND, 0),
            "undo_within_s": UNDO_WITHIN_S,
            "builtin": BUILTIN,
            "longest": LONGEST_DESCRIPTION,
            "longest_tag": LONGEST_TAG,
        },
        key=_KEY,
    )


def bulk(app: Runtime, query: str, folder_id: int | None) -> None:
    """Deciding of all that is found at once."""
    with st.popover("All at once", icon=":material/done_all:", key="review_all"):
        st.write(
            "Of every photo that waits and is found here, what is proposed is written "
            "as it is, or all of it is left out. It can be undone, but where a "
            "description was written meanwhile and there was none: there `undo` does."
        )
        for decision, label in (
            (Decision.ACCEPT, "Accept all"),
            (Decision.REJECT, "Reject all"),
        ):
            st.button(
                label,
                key=f"review_all_{decision}",
                type="primary" if decision is Decision.ACCEPT else "secondary",
                on_click=_decide_all,
                args=(app, query, folder_id, decision),
            )


def _decide_all(
    app: Runtime, query: str, folder_id: int | None, decision: Decision
) -> None:
    with telling.refusals():
        wanted = review_filters.wanted(query, folder_id)
        decide(app, questions.ids(app.catalogue, wanted), decision)


def decide(app: Runtime, ids: list[int], decision: Decision) -> None:
    """Accept or reject what waits for these photos, and say so."""
    with who.doing("decide many", ids=ids, decision=decision):
        edit = reviewing.decide_all(app.db, ids, decision)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    app.forget_status()
    if edit.photos:
        edit_told.made(app, edit)
    else:
        st.toast(f"None of these photos is in “{STATES[ImageState.REVIEW]}”.")


def told() -> None:
    """What the last decision of many came to."""
    if edit_told.is_any():
        with st.bottom:
            edit_told.show()
