"""Failing: what an error means for the photo it befell: again, waiting, or failed.

A photo is given up only for a reason of its own. A file that moves, a disk that goes, a
server that is down and a sidecar that cannot be written now put it off.
"""

import logging
import os
import random

from tagger.errors import (
    ExiftoolUnavailable,
    FileChanged,
    ImageError,
    MetadataNotWritten,
    ModelUnavailable,
    ServerFails,
    TaggerError,
    UnreadableImage,
    shown,
)
from tagger.imaging.darkroom import DecoderHung
from tagger.pipeline import atrest
from tagger.pipeline.atrest import OutOfReach
from tagger.pipeline.stages import Item, Stages
from tagger.records import ImageState, StatKey
from tagger.tracking import jobs, returns
from tagger.tracking.jobs import Job
from tagger.vision.retry import pause_s

log = logging.getLogger(__name__)

# A write that cannot be done now is tried again after this time, and at every start.
WRITE_AGAIN_S = 600.0
# A file that does not decode although it is at rest is looked at this often.
ARRIVING_LOOKS = 3
# A file that is never at rest is given up after so many tries, further and further
# apart: some 100 s after it was first met.
RESTLESS_LOOKS = 10
# A photo on which the decoder hangs is looked at so often.
HUNG_LOOKS = 2
# So often a photo may fail at a server that works.
SERVER_FAILURES = 3


def record(stages: Stages, item: Item, error: TaggerError) -> None:
    """Record what an error means for the photo. Raises `LeaseLost`."""
    stages.settle(item)
    db, job = stages.db, item.job
    match error:
        case ModelUnavailable():
            returns.put_back(db, job, server_failures=item.failures)
        case MetadataNotWritten(reason=reason):
            _not_written(stages, item, reason)
        case ExiftoolUnavailable():
            _not_written(stages, item, str(error))
        case OutOfReach() if job.attempts + 1 < RESTLESS_LOOKS:
            _out_of_reach(stages, job)
        case FileChanged() if job.attempts + 1 < RESTLESS_LOOKS:
            _again(stages, job, error)
        case DecoderHung() if job.attempts + 1 < HUNG_LOOKS:
            _again(stages, job, error)
        case DecoderHung(reason=reason):
            _failed(stages, item, error, reason)
        case UnreadableImage() if _may_yet_decode(job):
            _again(stages, job, error)
        case ServerFails() if _failures(item) < SERVER_FAILURES:
            retry = stages.config.retry
            delay_s = pause_s(_failures(item), retry, None, random.random())
            failures = item.failures
            returns.put_back(db, job, delay_s=delay_s, server_failures=failures)
        case ImageError(reason=reason):
            _failed(stages, item, error, reason)
        case _:
            raise error


def _failed(stages: Stages, item: Item, error: TaggerError, reason: str) -> None:
    failed = ImageState.FAILED
    if jobs.finish(stages.db, item.job, failed, reason=reason, cost=item.cost):
        log.warning("%s", error)


def may_fail_again(item: Item) -> bool:
    """Whether one more failure at a server that works would not be the photo's end."""
    return _failures(item) + 1 < SERVER_FAILURES


def _failures(item: Item) -> int:
    return item.job.server_failures + item.failures


def _not_written(stages: Stages, item: Item, reason: str) -> None:
    """The answer is kept; its words wait until they can be written."""
    job = item.job
    if returns.postpone(
        stages.db, job, reason=reason, delay_s=WRITE_AGAIN_S, cost=item.cost
    ):
        log.warning("%s: not written: %s", shown(job.path), reason)


def _again(stages: Stages, job: Job, error: TaggerError) -> None:
    """The file changed under our hands: take it up once it is at rest."""
    log.info("%s", error)
    try:
        stat = StatKey.of(os.stat(job.path))
    except OSError:
        stat = None
    # A file that somebody holds open is asked about less and less often.
    delay_s = _pause_s(stages) * (1 + job.attempts)
    returns.put_back(stages.db, job, delay_s=delay_s, attempts=1, stat=stat)


def _out_of_reach(stages: Stages, job: Job) -> None:
    """Let a look at its place tell: missing, or offline; then the job waits."""
    stages.scanner.look_again(job.folder_id, job.path)
    returns.put_back(stages.db, job, delay_s=_pause_s(stages), attempts=1)


def _pause_s(stages: Stages) -> float:
    return max(0.1, stages.config.scan.settle_s)


def _may_yet_decode(job: Job) -> bool:
    """Whether an unreadable file is one that is arriving, or just vanishing."""
    if not os.path.exists(job.path):
        return job.attempts + 1 < RESTLESS_LOOKS
    return job.attempts + 1 < ARRIVING_LOOKS and atrest.is_arriving(job)
