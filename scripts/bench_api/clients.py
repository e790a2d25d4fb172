"""Clients: the one process that all fifty people are in, and its own figures.

It reads what to do as JSON from standard input and prints what came of it. Its share of
a core and the longest stretches of its own work say whether the figures are the
server's or its own.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from scripts.bench_api import people
from scripts.bench_api.people import Crowd, Person, Question
from scripts.bench_api.wire import Waking, run
from scripts.bench_catalogue.timing import percentile, spread

ARRIVING_S = 5.0

DOINGS: dict[str, Callable[[Person], Awaitable[None]]] = {
    "readers": people.read_grids,
    "searchers": people.search,
    "exporters": people.export,
}


@dataclass(frozen=True)
class Plan:
    """Who comes, where to, for how long, with what in mind and which tokens."""

    host: str
    port: int
    seconds: float
    pace: float
    people: dict[str, int]
    questions: list[Question]
    tokens: list[str]

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    waking = Waking()
    began_s = time.perf_counter()
    crowd = Crowd(
        host=plan.host,
        port=plan.port,
        ends_s=began_s + plan.seconds,
        pace=plan.pace,
        questions=plan.questions,
        waking=waking,
    )
    cpu_s = time.process_time()
    run(_all(crowd, plan), waking)
    cpu_s = time.process_time() - cpu_s
    lasted_s = time.perf_counter() - began_s
    json.dump(_figures(crowd, lasted_s, cpu_s), sys.stdout)


async def _all(crowd: Crowd, plan: Plan) -> None:
    who = [doing for doing, many in plan.people.items() for _ in range(many)]
    await asyncio.gather(
        *(_one(crowd, plan, number, doing) for number, doing in enumerate(who))
    )


async def _one(crowd: Crowd, plan: Plan, number: int, doing: str) -> None:
    """Come some time in the first seconds, and do it."""
    token = plan.tokens[number % len(plan.tokens)] if plan.tokens else None
    one = Person(crowd, number, token)
    arriving_s = min(ARRIVING_S, plan.seconds / 4)
    await asyncio.sleep(random.Random(number).uniform(0, arriving_s))
    try:
        await DOINGS[doing](one)
    finally:
        one.close()


def _figures(crowd: Crowd, lasted_s: float, cpu_s: float) -> dict[str, object]:
    kinds = {
        kind: {
            **spread(times),
            "p99_ms": round(percentile(times, 0.99) * 1000, 2),
            "a_second": round(len(times) / lasted_s, 1),
        }
        for kind, times in sorted(crowd.times_s.items())
    }
    worked_s = crowd.waking.stretches_s
    return {
        "seconds": round(lasted_s, 1),
        "pace": crowd.pace,
        **kinds,
        "errors": sum(crowd.failed.values()),
        "errors_of": dict(crowd.failed),
        "first_errors": crowd.samples,
        "told_to_wait": crowd.told_to_wait,
        "export_mib_a_second": round(crowd.bytes_of_exports / 2**20 / lasted_s, 1),
        "generator": {
            "percent_of_a_core": round(cpu_s / lasted_s * 100, 1),
            "lag_p95_ms": round(percentile(worked_s, 0.95) * 1000, 2),
            "lag_p99_ms": round(percentile(worked_s, 0.99) * 1000, 2),
            "lag_max_ms": round(max(worked_s) * 1000, 2),
        },
    }


if __name__ == "__main__":
    main()
