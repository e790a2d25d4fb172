"""The built-in tagger: two small models in this package, no server, no download.

It is an on-ramp, not a captioner: it names groups of things, people and objects with
their count, colours and light. It says what passes its thresholds, and no more.
It speaks English only, whatever language is set for model servers.
"""

import hashlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from tagger.imaging.picture import Picture
from tagger.records import Answer, ServerState, Tag
from tagger.sections import BUILTIN
from tagger.vision.builtin import classifier, colours, detector, tables, wording

KIND = BUILTIN
WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
RULES = "1"  # raise it when the same pixels may give other words than before


@dataclass(frozen=True, slots=True)
class _Sessions:
    classes: onnxruntime.InferenceSession
    objects: onnxruntime.InferenceSession


class Builtin:
    """A `Backend` that runs in this process. Any number of threads may ask at once."""

    kind = KIND
    name = KIND
    model = KIND
    url = ""
    weight = 1.0
    side_px = 640

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: _Sessions | None = None
        self.parallel = os.cpu_count() or 1

    @property
    def prompt_version(self) -> str:
        return version()

    def check(self) -> ServerState:
        """Always usable: what it needs is in the package."""
        return ServerState(
            url="",
            kind=KIND,
            model=KIND,
            reachable=True,
            has_model=True,
            can_see=True,
            models=(KIND,),
            version=version(),
        )

    def describe(self, picture: Picture, path: bytes) -> Answer:
        """What the picture shows. `path` is not needed: no picture is refused."""
        started = time.monotonic()
        sessions = self._sessions()
        pixels = np.asarray(picture.pixels)
        look = colours.look(pixels)
        seen = detector.things(sessions.objects, pixels)
        found = merged(classifier.scores(sessions.classes, pixels), seen)
        named = subjects(found, seen)
        return Answer(
            description=wording.sentence(named, look),
            tags=_tags(named, found, look),
            backend=KIND,
            model=KIND,
            prompt_version=self.prompt_version,
            seconds=time.monotonic() - started,
        )

    def hang_up(self) -> None:
        """There is nobody to hang up on: a question is over in a moment."""

    def close(self) -> None:
        """Let go of the models' memory; a later question loads them again."""
        with self._lock:
            self._loaded = None

    def _sessions(self) -> _Sessions:
        with self._lock:
            if self._loaded is None:
                self._loaded = _Sessions(session("efficientnet"), session("nanodet"))
            return self._loaded


def merged(scores: Mapping[str, float], seen: list[detector.Seen]) -> dict[str, float]:
    """Both models' words with their groups, each with its best score, surest first."""
    known = tables.load()
    found = dict(scores)
    for thing in seen:
        word = known.objects[thing.number]
        found[word.name] = max(found.get(word.name, 0.0), thing.score)
    for name, score in list(found.items()):
        for group in known.by_name[name].groups:
            found[group] = max(found.get(group, 0.0), score)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def subjects(
    found: Mapping[str, float], seen: list[detector.Seen]
) -> list[wording.Subject]:
    """What the sentence names: the narrowest words, people first, then the surest."""
    known = tables.load()
    counts = {known.objects[thing.number].name: thing.count for thing in seen}
    words = [known.by_name[name] for name in found]
    narrowest = [w for w in words if not any(w.name in other.groups for other in words)]
    named = [
        wording.Subject(w, counts.get(w.name, 1), found[w.name]) for w in narrowest
    ]
    return sorted(named, key=lambda s: (s.word.name != "person", -s.score))


def _tags(
    named: list[wording.Subject], found: Mapping[str, float], look: colours.Look
) -> tuple[Tag, ...]:
    """The narrowest words, the groups they belong to, then colours and light."""
    names = dict.fromkeys([*(subject.word.name for subject in named), *found])
    tags = [Tag(name, round(found[name], 3)) for name in names]
    tags += [tag for tag in look.colours if tag.name not in found]
    if look.colourless:
        tags.append(Tag("black and white"))
    if look.light:
        tags.append(look.light)
    return tuple(tags)


@cache
def version() -> str:
    """Changes whenever weights, tables or rules do, and with them the answers."""
    text = hashlib.sha256(f"{RULES} {tables.digest()}".encode())
    for path in sorted(WEIGHTS.glob("*.onnx")):
        text.update(path.read_bytes())
    return f"builtin-{text.hexdigest()[:12]}"


def session(name: str) -> onnxruntime.InferenceSession:
    """A model. One thread each: photos run side by side, so none needs more."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    (path,) = WEIGHTS.glob(f"{name}*.onnx")
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
