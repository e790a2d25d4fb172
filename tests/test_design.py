"""The rooms of the program: who may import whom, and who owns which library."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GROUND = {
    *("acting", "children", "config", "errors", "hours", "logs", "outfiles"),
    *("passwords", "priority", "records", "sections", "texts", "__init__"),
}
MAY_IMPORT = {
    "imaging": set(),
    "vision": {"imaging"},
    "tracking": set(),
    "catalogue": {"tracking"},
    "pipeline": {"vision", "imaging", "tracking"},
    "bench": {"pipeline", "vision", "imaging", "tracking"},
    "web": {"catalogue", "vision", "imaging", "tracking"},
    "pages": {"web", "catalogue", "tracking", "vision", "imaging", "doctor"},
    "doctor": {"tracking", "vision"},
    "cli": {
        *("web", "pipeline", "catalogue", "vision", "imaging", "tracking", "doctor"),
        "bench",
    },
    "app": {"web", "pages"},
    "__main__": {"cli"},
}
OWNERS = {
    "streamlit": {"pages", "app", "web"},
    "duckdb": {"catalogue"},
    "tantivy": {"catalogue"},
    "pyarrow": {"catalogue"},
    "sqlalchemy": {"tracking"},
    "httpx": {"vision", "web"},
    "PIL": {"imaging"},
    "pillow_heif": {"imaging"},
    "rawpy": {"imaging"},
    "onnxruntime": {"vision"},
    "exiftool": {"pipeline"},
    "watchdog": {"pipeline"},
    "filelock": {"tracking"},
    "fastapi": {"web"},
    "starlette": {"web", "app"},
    "prometheus_client": {"web"},
    "uvicorn": {"web"},
    "altair": {"pages", "web"},
    "rich": {"cli"},
    "argon2": {"passwords"},
    "itsdangerous": {"web"},
    "pydantic_settings": {"config"},
}
MODULES = sorted(
    [*ROOT.glob("tagger/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]
)


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "tagger" else parts[0]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "tagger":
                yield from (f"tagger.{alias.name}" for alias in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_down_only(path: Path) -> None:
    here = room(path)
    if here in GROUND:
        allowed: set[str] = set()
    else:
        allowed = MAY_IMPORT[here] | {here}
    for name in imports(path):
        top, _, rest = name.partition(".")
        target = rest.split(".")[0] if top == "tagger" else top
        if top not in ("tagger", "pages") or target in GROUND | {"__version__", ""}:
            continue
        assert target in allowed, f"{named(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_each_library_has_its_owner(path: Path) -> None:
    for name in imports(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or room(path) in owners, f"{named(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())) or not path.read_text()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_prints(path: Path) -> None:
    calls = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
    ]
    assert not [
        c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"
    ]


def test_the_tagger_process_loads_no_catalogue_and_no_streamlit() -> None:
    import subprocess

    code = (
        "import sys; import tagger.pipeline.run; "
        "print({'duckdb', 'tantivy', 'streamlit', 'fastapi'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "set()", answer.stderr
