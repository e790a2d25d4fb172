"""API: figures for Prometheus, read anew for each scrape.

Names of servers are labels; names of files, tags and people never are.
"""

from collections.abc import Iterable, Iterator

from fastapi import APIRouter
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    exposition,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

import tagger
from tagger.records import ServerReport, Status
from tagger.tracking import changes
from tagger.web import runtime

router = APIRouter(tags=["service"])

_STATES = (
    *("new", "queued", "working", "tagged", "review", "not_written", "failed"),
    "missing",
)


class _Figures(Collector):
    """The figures of this process's runtime."""

    def collect(self) -> Iterator[Metric]:
        opened = runtime.current()
        status = opened.status()
        yield InfoMetricFamily(
            "image_tagger", "This program.", {"version": tagger.__version__}
        )
        yield from _of_photos(status)
        yield from _of_servers(status.servers)
        behind = changes.latest(opened.db) - (opened.catalogue.seen() or 0)
        yield GaugeMetricFamily(
            "image_tagger_catalogue_behind",
            "Changes that the catalogue has not taken over yet.",
            max(0, behind),
        )


def _of_photos(status: Status) -> Iterator[Metric]:
    photos = GaugeMetricFamily(
        "image_tagger_photos", "Photos, by how they stand.", labels=["state"]
    )
    for state in _STATES:
        photos.add_metric([state], getattr(status, state))
    yield photos
    yield GaugeMetricFamily(
        "image_tagger_working",
        "Whether the tagger is at work: 1, or 0.",
        float(status.state == "working"),
    )
    yield GaugeMetricFamily(
        "image_tagger_photos_a_minute",
        "Photos finished a minute, over the last five.",
        status.photos_a_minute or 0.0,
    )


def _of_servers(servers: Iterable[ServerReport]) -> Iterator[Metric]:
    usable, busy, places, pace = (
        GaugeMetricFamily(f"image_tagger_server_{name}", means, labels=["server"])
        for name, means in (
            ("usable", "Whether a model server answers: 1, or 0."),
            ("busy", "Photos a model server is asked about now."),
            ("places", "Photos a model server is asked about at once."),
            ("photos_a_minute", "Photos a model server answered a minute."),
        )
    )
    for server in servers:
        labels = [server.name or server.url]
        usable.add_metric(labels, float(server.usable))
        busy.add_metric(labels, server.busy)
        places.add_metric(labels, server.places)
        pace.add_metric(labels, server.photos_a_minute or 0.0)
    yield from (usable, busy, places, pace)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    for process in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(process)
    return registry


_REGISTRY = _registry()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def metrics() -> Response:
    """Figures in Prometheus's text format."""
    return Response(
        exposition.generate_latest(_REGISTRY),
        media_type=exposition.CONTENT_TYPE_PLAIN_0_0_4,
    )
