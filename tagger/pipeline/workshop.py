"""Workshop: opens everything a tagger process needs, and closes it again."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline.discover import Scanner
from tagger.pipeline.flow import Flow, Slots
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.stages import Observer, Stages
from tagger.tracking.database import Database
from tagger.vision.protocol import Backend

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """One tagger process's tools. `exiftool_problem` says why nothing is written."""

    config: Config
    db: Database
    scanner: Scanner
    reader: Writer | None
    writer: Writer | None
    exiftool_problem: str | None

    def flow(
        self,
        backends: Sequence[Backend],
        *,
        run_id: int,
        patient: bool,
        observer: Observer | None = None,
    ) -> Flow:
        """Set the threads to work with these model servers."""
        stages = Stages(
            config=self.config,
            db=self.db,
            thumbnails=ThumbnailStore(self.config.thumbnails_dir),
            reader=self.reader,
            writer=self.writer,
            run_id=run_id,
            side_px=max(backend.side_px for backend in backends),
        )
        if observer is not None:
            stages.observer = observer
        return Flow(
            stages,
            [Slots(backend, backend.parallel) for backend in backends],
            retry=self.config.retry,
            look_threads=self.config.tagger.look_threads,
            patient=patient,
        )


@contextmanager
def opened(config: Config) -> Iterator[Workshop]:
    """Open the tracking database and exiftool; close both at the end.

    Without exiftool photos are still looked at, and their words wait to be written.
    Two exiftool processes serve one tagger, so that reading never waits for a write.
    """
    with Database.open(config.tracking_path) as db:
        reading, writing = Exiftool(config.metadata), Exiftool(config.metadata)
        problem = None
        try:
            reading.start()
            writing.start()
        except ExiftoolUnavailable as error:
            problem = str(error)
            log.warning("%s", problem)
        try:
            yield Workshop(
                config=config,
                db=db,
                scanner=Scanner(
                    db, data_dir=config.data_dir, settle_s=config.scan.settle_s
                ),
                reader=None if problem else Writer(reading, config.metadata),
                writer=None if problem else Writer(writing, config.metadata),
                exiftool_problem=problem,
            )
        finally:
            reading.close()
            writing.close()
