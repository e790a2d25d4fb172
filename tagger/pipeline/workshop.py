"""Workshop: opens everything a tagger process needs, and closes it again."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable
from tagger.imaging.darkroom import DARKROOM, Darkroom
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
from tagger.tracking import bindings, jobs
from tagger.tracking.database import Database
from tagger.vision.choose import Member

log = logging.getLogger(__name__)

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
    darkroom: Darkroom = DARKROOM

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
        members: Sequence[Member],
        *,
        run_id: int,
        patient: bool,
        gate: Gate | None = None,
        observer: Observer | None = None,
        lease_s: float = jobs.LEASE_S,
    ) -> Flow:
        """Set the threads to work with these model servers."""
        self._name_lost_servers()
        side_px = max(member.backend.side_px for member in members)
        stages = self.stages(run_id=run_id, side_px=side_px)
        if observer is not None:
            stages.observer = observer
        servers = [
            Slots(
                member.backend,
                retry=self.config.retry,
                is_open=member.is_open,
                problem=member.problem,
            )
            for member in members
        ]
        return Flow(
            stages,
            servers,
            look_threads=self.config.tagger.look_threads,
            patient=patient,
            gate=gate,
            lease_s=lease_s,
        )

    def _name_lost_servers(self) -> None:
        """A folder bound to a server that was renamed or removed waits for ever."""
        for path, names in bindings.lost(self.db, self.config.server_names).items():
            log.warning("%s", bindings.lost_sentence(path, names))

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
            darkroom=self.darkroom,
        )


@contextmanager
def opened(config: Config, *, darkroom: Darkroom = DARKROOM) -> Iterator[Workshop]:
    """Open the tracking database and exiftool; close both at the end.

    Without exiftool photos are still looked at, and their words wait to be written.
    """
    with Database.of(config) as db:
        workshop = Workshop(
            config=config,
            db=db,
            scanner=Scanner(
                db,
                data_dir=config.data_dir,
                settle_s=config.scan.settle_s,
                mirror_dir=config.mirror_dir,
                roots=config.library.roots,
            ),
            besides=Besides(db, Whereabouts(db, config), settle_s=config.scan.settle_s),
            reading=Exiftool(config.metadata),
            writing=Exiftool(config.metadata),
            darkroom=darkroom,
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
