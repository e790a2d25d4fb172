"""Flow: photos through the stages, so that model servers never wait for us.

    feed ─▶ look threads ─▶ slots, one thread for each place at a server ─▶ write thread

All slots take from one queue, so a slow server never holds up a fast one. Only a small
multiple of the slots is decoded ahead, which bounds memory at any library size.
"""

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable, Sequence

from tagger.config import Retry
from tagger.errors import (
    DataFull,
    ExiftoolUnavailable,
    FileChanged,
    ImageError,
    MetadataNotWritten,
    ModelUnavailable,
    ServerFails,
    TaggerError,
    shown,
)
from tagger.pipeline import recover
from tagger.pipeline.crew import Crew
from tagger.pipeline.stages import InFlight, Item, Stages
from tagger.records import ServerReport
from tagger.tracking import jobs, writes
from tagger.vision.protocol import Backend
from tagger.vision.retry import describe_with_retry

log = logging.getLogger(__name__)

TICK_S = 0.1
RENEW_S = 15.0
SERVER_CHECK_S = 10.0
DISK_CHECK_S = 5.0
# Answers that wait to be written hold no pixels; this many may queue up.
WRITES_AHEAD = 64
# After the disk was full, work goes on once this much is free again.
ROOM_AGAIN_BYTES = 64 << 20
# This many photos one after the other without an answer: it is the server.
FAILURES_IN_A_ROW = 3

Step = Callable[[Item], None]


class Slots:
    """The places at one model server: how many are busy, and whether it answers."""

    def __init__(self, backend: Backend, places: int) -> None:
        self.backend = backend
        self.places = places
        self.busy = 0
        self.answered = 0
        self.failures = 0
        self.problem: str | None = None
        self.lock = threading.Lock()

    def report(self) -> ServerReport:
        return ServerReport(
            url=self.backend.url,
            kind=self.backend.kind,
            model=self.backend.model,
            usable=self.problem is None,
            problem=self.problem,
            busy=self.busy,
            answered=self.answered,
        )


class Flow:
    """The threads of one tagger process and the queues between them.

    `patient` flows wait for servers that are away; others give up, with the error in
    `gave_up`, once no server is left.
    """

    def __init__(
        self,
        stages: Stages,
        servers: Sequence[Slots],
        *,
        retry: Retry,
        look_threads: int,
        patient: bool,
    ) -> None:
        self._stages = stages
        self.servers = list(servers)
        self._retry = retry
        self._patient = patient
        self.stop = threading.Event()
        self.gave_up: ModelUnavailable | None = None
        self.disk_full: str | None = None
        self._crew = Crew()
        self._looking: queue.Queue[Item] = queue.Queue()
        self._asking: queue.Queue[Item] = queue.Queue()
        self._writing: queue.Queue[Item] = queue.Queue()
        self._pictures = InFlight()
        self._held: dict[int, Item] = {}
        self._held_lock = threading.Lock()
        self._unasked = 0
        self._renewed = time.monotonic()
        self._disk_checked = time.monotonic()
        slots = sum(server.places for server in self.servers)
        self._ahead = 2 * slots + 2 * look_threads
        for n in range(look_threads):
            self._crew.spawn(f"look-{n}", self._loop(self._looking, self._look))
        for server in self.servers:
            for n in range(server.places):
                self._crew.spawn(f"ask-{n}", lambda s=server: self._serve(s))  # type: ignore[misc]
        self._crew.spawn("write", self._loop(self._writing, self._write))

    @property
    def held(self) -> int:
        """How many photos are on their way now."""
        return len(self._held)

    @property
    def problem(self) -> str | None:
        """Why nothing moves, if so."""
        if self.disk_full:
            return self.disk_full
        problems = [server.problem for server in self.servers]
        if all(problems):
            return problems[0]
        return None

    def tick(self, *, run_id: int | None = None) -> None:
        """Take new jobs as there is room, keep leases, and pass on a thread's death."""
        self._crew.check()
        if time.monotonic() - self._renewed > RENEW_S:
            self._renewed = time.monotonic()
            with self._held_lock:
                mine = [item.job for item in self._held.values()]
            jobs.renew(self._stages.db, mine)
        if self._disk_is_full() or (self._patient and self.problem):
            return
        room = min(self._ahead - self._unasked, WRITES_AHEAD - self.held)
        if room > 0:
            for job in jobs.claim(self._stages.db, limit=room, run_id=run_id):
                self._take(Item(job))

    def _disk_is_full(self) -> bool:
        if self.disk_full is None:
            return False
        if time.monotonic() - self._disk_checked > DISK_CHECK_S:
            self._disk_checked = time.monotonic()
            folder = self._stages.db.path.parent
            if shutil.disk_usage(folder).free > ROOM_AGAIN_BYTES:
                self.disk_full = None
        return self.disk_full is not None

    def _take(self, item: Item) -> None:
        with self._held_lock:
            self._held[item.job.id] = item
            self._unasked += 1
        self._looking.put(item)

    def close(self, *, grace_s: float = 5.0) -> None:
        """Stop: finish writes under way, give every other job back."""
        self.stop.set()
        if not self._crew.join(grace_s):
            for server in self.servers:
                server.backend.close()
            self._crew.join(grace_s)
        with self._held_lock:
            left = list(self._held.values())
            self._held.clear()
        for item in left:
            self._end(item, lambda i: jobs.put_back(self._stages.db, i.job))
        for server in self.servers:
            server.backend.close()

    def _loop(self, source: "queue.Queue[Item]", step: Step) -> Callable[[], None]:
        def work() -> None:
            while not self.stop.is_set():
                try:
                    item = source.get(timeout=TICK_S)
                except queue.Empty:
                    continue
                self._guarded(item, step)

        return work

    def _look(self, item: Item) -> None:
        self._stages.look(item)
        self._ask_or_pass(item)

    def _ask_or_pass(self, item: Item) -> None:
        if self._stages.use_known(item):
            self._pass_on(item)
        elif self._pictures.lead(item):
            self._asking.put(item)

    def _pass_on(self, item: Item) -> None:
        self._count_asked(item)
        self._writing.put(item)

    def _write(self, item: Item) -> None:
        self._stages.write(item)
        self._let_go(item)

    def _serve(self, server: Slots) -> None:
        """One place at one server: take what is next, ask, record."""
        while not self.stop.is_set():
            if server.problem is not None and not self._back_again(server):
                continue
            try:
                item = self._asking.get(timeout=TICK_S)
            except queue.Empty:
                continue
            self._ask_leading(server, item)

    def _ask_leading(self, server: Slots, item: Item) -> None:
        """Ask for one photo, then let those with the same picture go on as well."""
        self._guarded(item, lambda i: self._ask(server, i))
        for follower in self._pictures.settle(item):
            # If this question failed, the first of them leads the next one.
            self._guarded(follower, self._ask_or_pass)

    def _ask(self, server: Slots, item: Item) -> None:
        if self._stages.use_known(item):  # answered since it was looked at
            self._pass_on(item)
            return
        assert item.picture is not None
        with server.lock:
            server.busy += 1
        try:
            answer = describe_with_retry(
                server.backend,
                item.picture,
                item.job.path,
                retry=self._retry,
                stop=self.stop,
            )
        except ModelUnavailable as error:
            if not self.stop.is_set():
                self._judge(server, item, error)
            raise
        finally:
            with server.lock:
                server.busy -= 1
        self._stages.answered(item, answer)
        server.answered += 1
        server.failures = 0
        self._pass_on(item)

    def _judge(self, server: Slots, item: Item, error: ModelUnavailable) -> None:
        """Is it the server, or this photo? Raises `ServerFails` for the photo.

        A server that passes its check and failed on few photos in a row is not to
        blame; one photo that crashes a model must not hold up all others.
        """
        server.failures += 1
        if server.failures < FAILURES_IN_A_ROW and server.backend.check().usable:
            raise ServerFails(item.job.path, str(error)) from error
        self._lost(server, error)

    def _lost(self, server: Slots, error: ModelUnavailable) -> None:
        if server.problem is None:
            log.warning("%s", error)
        server.problem = str(error)
        if not self._patient and all(s.problem for s in self.servers):
            self.gave_up = error

    def _back_again(self, server: Slots) -> bool:
        """Wait a little and ask the server whether it can work again."""
        if self.stop.wait(SERVER_CHECK_S):
            return False
        state = server.backend.check()
        server.problem = None if state.usable else state.problem
        server.failures = 0
        return server.problem is None

    def _guarded(self, item: Item, step: Step) -> None:
        """Do one step; what goes wrong is settled for this photo alone."""
        try:
            step(item)
        except (ImageError, ModelUnavailable, ExiftoolUnavailable) as error:
            self._over(item, error)
        except jobs.LeaseLost:
            log.info("%s: another tagger has it now", shown(item.job.path))
            self._let_go(item)
        except DataFull as error:
            self._pause(item, error)

    def _over(self, item: Item, error: TaggerError) -> None:
        if isinstance(error, FileChanged | MetadataNotWritten | ExiftoolUnavailable):
            self._settle_write(item)
        self._end(item, lambda i: self._stages.ended(i, error))
        self._let_go(item)

    def _end(self, item: Item, end: Step) -> None:
        try:
            end(item)
        except jobs.LeaseLost:
            log.info("%s: another tagger has it now", shown(item.job.path))
        except DataFull as error:
            self._pause(item, error)

    def _settle_write(self, item: Item) -> None:
        """A write failed: whether the file was replaced, its hash tells."""
        mine = [
            intent
            for intent in writes.open_intents(self._stages.db)
            if intent.file_id == item.job.file_id
        ]
        for intent in mine:
            recover.settle(self._stages.db, intent)

    def _let_go(self, item: Item) -> None:
        with self._held_lock:
            self._held.pop(item.job.id, None)
        self._count_asked(item)

    def _count_asked(self, item: Item) -> None:
        """The photo waits for no model any more, and needs no pixels."""
        item.picture = None
        with self._held_lock:
            if item.unasked:
                item.unasked = False
                self._unasked -= 1

    def _pause(self, item: Item, error: DataFull) -> None:
        """No room for records: the photo's lease runs out, nothing new is taken."""
        self.disk_full = str(error)
        log.error("%s", error)
        self._let_go(item)
