"""Workshop: opens everything a tagger process needs, and closes it again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline.besides import Besides
from tagger.pipeline.crew import Crew
from tagger.pipeline.discover import Scanner
from tagger.pipeline.flow import Flow
from tagger.pipeline.gate import Gate
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.servers import Slots
from tagger.pipeline.stages import Observer, Stages
from tagger.pipeline.whereabouts import Whereabouts
from tagger.tracking.database import Database
from tagger.vision.protocol import Backend

CLOSE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """One tagger process's tools.

    Two exiftool processes serve it, so that reading never waits for a write.
    """

    config: Config
    db: Database
    scanner: Scanner
    besides: Besides
    reading: Exiftool
    writing: Exiftool

    def exiftool_problem(self) -> str | None:
        """Why no words are read and written now; starts exiftool if it can."""
        try:
            self.reading.start()
            self.writing.start()
        except ExiftoolUnavailable as error:
            return str(error)
        return None

    def flow(
        self,
        backends: Sequence[Backend],
        *,
        run_id: int,
        patient: bool,
        gate: Gate | None = None,
        observer: Observer | None = None,
    ) -> Flow:
        """Set the threads to work with these model servers."""
        side_px = max(backend.side_px for backend in backends)
        stages = self.stages(run_id=run_id, side_px=side_px)
        if observer is not None:
            stages.observer = observer
        return Flow(
            stages,
            [Slots(backend, backend.parallel) for backend in backends],
            retry=self.config.retry,
            look_threads=self.config.tagger.look_threads,
            patient=patient,
            gate=gate,
        )

    def stages(self, *, run_id: int, side_px: int) -> Stages:
        """What can be done to one photo, for whoever does it."""
        return Stages(
            config=self.config,
            db=self.db,
            thumbnails=ThumbnailStore(self.config.thumbnails_dir),
            scanner=self.scanner,
            besides=self.besides,
            reader=Writer(self.reading, self.config.metadata),
            writer=Writer(self.writing, self.config.metadata),
            run_id=run_id,
            side_px=side_px,
        )


@contextmanager
def opened(config: Config) -> Iterator[Workshop]:
    """Open the tracking database and exiftool; close both at the end.

    Without exiftool photos are still looked at, and their words wait to be written.
    """
    with Database.open(config.tracking_path) as db:
        workshop = Workshop(
            config=config,
            db=db,
            scanner=Scanner(
                db,
                data_dir=config.data_dir,
                settle_s=config.scan.settle_s,
                mirror_dir=config.mirror_dir,
            ),
            besides=Besides(db, Whereabouts(db, config), settle_s=config.scan.settle_s),
            reading=Exiftool(config.metadata),
            writing=Exiftool(config.metadata),
        )
        try:
            yield workshop
        finally:
            _close(workshop.reading, workshop.writing)


def _close(*processes: Exiftool) -> None:
    """Not longer than a moment: one that hangs in a command ends when we do."""
    crew = Crew()
    for process in processes:
        crew.spawn("close", process.close)
    crew.join(CLOSE_S)
    crew.check()
