"""API: the audit log, for admins."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from tagger.tracking import audit
from tagger.web import runtime

router = APIRouter(tags=["service"])

_LARGEST = 2**63 - 1


class AuditOut(BaseModel):
    """What somebody did. `outcome` is null if nobody knows what came of it."""

    id: int
    at: str
    who: str
    role: str
    way: str
    what: str
    detail: dict[str, Any]
    outcome: str | None


class AuditPage(BaseModel):
    """Some of the log, the newest first; `next` is the `before` of the next page."""

    entries: list[AuditOut]
    next: int | None


@router.get("/audit")
def read_audit(
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
    who: Annotated[str | None, Query(max_length=100)] = None,
) -> AuditPage:
    """Who changed what, when, and what came of it."""
    found = audit.read(runtime.current().db, limit=limit + 1, before=before, who=who)
    shown = found[:limit]
    return AuditPage(
        entries=[AuditOut.model_validate(asdict(one)) for one in shown],
        next=shown[-1].id if len(found) > limit else None,
    )
