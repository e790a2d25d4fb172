"""Requests made up from the OpenAPI document by Schemathesis, sent to a real server."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis import Case, HookContext, openapi
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

# Nothing listens there.
NOBODY = "http://127.0.0.1:9"

# All of Schemathesis's checks are on. One is told what else may come of a request that
# fits the document: a search with a bracket too many, SQL that is none, a tag of spaces
# are refused with a 422 that says why.
CHECKS = ChecksConfig(
    positive_data_acceptance=PositiveDataAcceptanceConfig(
        expected_statuses=["2xx", "401", "403", "404", "409", "422"]
    )
)


@dataclass
class Fuzzed:
    """What came of it: each kind of failure in words, and the answers by route."""

    failures: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Counter[int]] = field(default_factory=dict)

    @property
    def statuses(self) -> set[int]:
        return {status for counts in self.answers.values() for status in counts}


def fuzz(
    client: httpx.Client,
    document: Mapping[str, Any],
    headers: Mapping[str, str],
    folder: Path,
    *,
    examples: int,
    edges: bool = True,
) -> Fuzzed:
    """Ask every route of the document, as whoever shows these headers.

    `examples` are made up by chance, always the same; `edges` are the least and most
    that a schema takes, what is just beyond, and methods that are not there.
    """
    schema = openapi.from_dict(
        json.loads(json.dumps(document)),
        config=_settings(client, headers, examples=examples, edges=edges),
    )

    def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
        _keep_here(case, folder)
        _aim(case)

    schemathesis.hook(before_call)
    found = Fuzzed()
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                _take(found, event)
            elif isinstance(event, events.NonFatalError | events.FatalError):
                found.failures[repr(event)] = repr(event)
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(before_call)
    return found


def _settings(
    client: httpx.Client, headers: Mapping[str, str], *, examples: int, edges: bool
) -> SchemathesisConfig:
    project = ProjectConfig(
        base_url=str(client.base_url.join("/api")),
        headers=dict(headers),
        checks=CHECKS,
        generation=GenerationConfig(
            max_examples=max(examples, 1), deterministic=True, no_shrink=True
        ),
        continue_on_failure=True,
        request_timeout=20,
        phases=PhasesConfig(
            examples=ExamplesPhaseConfig(enabled=False),
            coverage=CoveragePhaseConfig(enabled=edges),
            fuzzing=FuzzingPhaseConfig(enabled=examples > 0),
            # The document has no links between its routes to go along.
            stateful=StatefulPhaseConfig(enabled=False),
        ),
    )
    return SchemathesisConfig(seed=1, projects=ProjectsConfig(default=project))


def _keep_here(case: Case, folder: Path) -> None:
    """No folder but ours is added, and no model server asked but one that is away."""
    body = case.body
    if not isinstance(body, dict):
        return
    if case.operation.path.startswith("/folders"):
        for name in ("path", "mirror"):
            if isinstance(body.get(name), str):
                body[name] = f"{folder}/{body[name][:20]}"
    if isinstance(body.get("url"), str):
        body["url"] = f"{NOBODY}/{body['url'][:20]}"


def _aim(case: Case) -> None:
    """Have ids that could be be those of what there is, except where it is deleted."""
    ids = case.path_parameters
    is_possible = case.meta is not None and case.meta.generation.mode.is_positive
    if is_possible and case.method.upper() != "DELETE" and isinstance(ids, dict):
        for name, one in ids.items():
            if isinstance(one, int):
                ids[name] = 1 + one % 2


def _take(found: Fuzzed, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for key, interaction in recorder.interactions.items():
        label = _label(recorder, key)
        status = interaction.response.status_code if interaction.response else 0
        found.answers.setdefault(label, Counter())[status] += 1
    for key, nodes in recorder.checks.items():
        for node in nodes:
            if (info := node.failure_info) is not None:
                answer = recorder.interactions[key].response
                said = "" if answer is None else f"{answer.content[:400]!r}"
                found.failures.setdefault(
                    f"{_label(recorder, key)}: {info.failure.title}",
                    f"{info.failure.message}\n{info.code_sample}\n{said}",
                )


def _label(recorder: Any, key: str) -> str:
    known = recorder.cases.get(key)
    return "?" if known is None else str(known.value.operation.label)


# Values that break what takes them for granted; as they stand in JSON.
NASTY = (
    *('"a\\u0000b"', '"\\ud800"', '"\\udfff\\ud800x"', '"\\udcff"', '""', '" "'),
    *(f'"{"x" * 70_000}"', '"\\u202e\\ufeff\\n"', '"1e5"', '"\\u0663"', "true", "null"),
    *("9" * 40, "9" * 5000, "-1", "0", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775809", "NaN", "Infinity", "-Infinity", "1e400", "1e308", "-0"),
    *("1.5", "1.0", "[]", "{}", "[[]]", '{"a":{"b":[]}}'),
)
# Whole bodies that are none.
BODIES = (
    *(
        b"",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"a":"\xff"}',
    ),
    *(b"[" * 200_000, b'{"a":' * 100_000, b'{"a":' * 600 + b"1" + b"}" * 600),
    *(b"[" * 900 + b"]" * 900, b"null", b"[]", b"1", b'"x"', b'{"a":1,"a":2}', b"NaN"),
    *(b'{"x":NaN}', b'{"x":"\\ud800"}', b'{"x":' + b"9" * 5000 + b"}", b"\0"),
)
# In a query, percent-encoded.
IN_QUERY = (
    *("%00", "%ED%A0%80", "%FF", "%", "9" * 30, "9" * 5000, "1e5", "-1", "NaN", "inf"),
    *("1e400", "%D9%A3", "%0a", "[]"),
)
# In a path. With a line break it would be no path of the API, but one of the screens.
IN_PATH = (
    *(odd for odd in IN_QUERY if odd != "%0a"),
    *("-0", "x" * 3000, "+1", "1.0", "1%00", "%2e%2e", "..%2f1", "0x1", "1_0", "%20"),
)


def spoilt(body: Any) -> Iterator[bytes]:
    """The body with each of its values in turn replaced by each nasty one."""
    for spot in _spots(body):
        for nasty in NASTY:
            copy = json.loads(json.dumps({"": body}))
            place = copy
            for step in ("", *spot)[:-1]:
                place = place[step]
            place[("", *spot)[-1]] = "@@"
            yield json.dumps(copy[""]).replace('"@@"', nasty).encode()


def _spots(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    if isinstance(value, dict):
        for name in value:
            yield from _spots(value[name], (*here, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _spots(one, (*here, number))
