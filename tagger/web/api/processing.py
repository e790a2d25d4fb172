"""API: how far the tagger is, and everything set going at once."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tagger.records import Status
from tagger.tracking import cancelling, folders, reasons
from tagger.web import runtime
from tagger.web.api.models import Message

router = APIRouter(prefix="/settings", tags=["settings"])


class ProcessingOut(BaseModel):
    """How far the tagger is with all photos; `task_progress` is 0 to 100."""

    is_processing: bool
    current_task: str | None = Field(description="What it does or waits for.")
    task_progress: float
    completed_tasks: int
    task_total: int


@router.get("/processing-status")
def processing_status() -> ProcessingOut:
    """How far the tagger is. One that failed, or waits for review, is completed."""
    now = runtime.current().status()
    completed = now.tagged + now.review + now.not_written + now.failed
    share = 100 * completed / now.total if now.total else 100.0
    return ProcessingOut(
        is_processing=now.state == "working",
        current_task=_task(now),
        task_progress=round(share, 1),
        completed_tasks=completed,
        task_total=now.total,
    )


def _task(now: Status) -> str | None:
    if now.state == "working":
        return f"Tagging photos, {now.queued + now.working} to go"
    return now.message


@router.post("/scan-all-folders")
def scan_all_folders() -> Message:
    """Have every active folder looked through now."""
    opened = runtime.current()
    folders.request_scan(opened.db, None)
    active = sum(folder.active for folder in folders.every(opened.db))
    return Message(message=f"Active folders to be looked through: {active}.")


@router.post("/process-all-images")
def process_all_images() -> Message:
    """Queue every photo that has no answer: those taken out, and those that failed."""
    opened = runtime.current()
    added = cancelling.put_back(opened.db, None)
    again = reasons.retry(opened.db)
    opened.forget_status()
    return Message(message=f"Photos put into the queue: {added}; tried again: {again}.")
