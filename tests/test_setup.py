"""Set-up as a new user meets it: make, its scripts, and the pinned requirements."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "dirname", "env", "tail", "touch", "true", "ls")
APT = "libimage-exiftool-perl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with a shell and its tools, and neither exiftool nor an installer."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    person(folder, root=False)
    return folder


def program(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder / name


def person(folder: Path, *, root: bool) -> None:
    program(folder, "id", f"echo {0 if root else 1000}")


def script(path: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(ROOT / "scripts" / name), *arguments],
        env={"PATH": str(path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )


def test_nothing_is_said_where_exiftool_is_there(path: Path) -> None:
    program(path, "exiftool", "exit 0")
    answer = script(path, "ensure-exiftool")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_without_an_installer_the_person_is_told_where_to_get_exiftool(
    path: Path,
) -> None:
    answer = script(path, "ensure-exiftool")
    assert answer.returncode == 0
    assert "https://exiftool.org" in answer.stderr
    assert "nothing is written into photos" in answer.stderr


def test_without_rights_the_person_is_told_what_to_run(path: Path) -> None:
    program(path, "apt-get", "exit 1")
    program(path, "sudo", "exit 1")
    answer = script(path, "ensure-exiftool")
    assert answer.returncode == 0
    assert f"Run: sudo apt install {APT}" in answer.stderr
    assert "Installing" not in answer.stderr


@pytest.mark.parametrize("root", [True, False])
def test_exiftool_is_installed_where_that_may_be_done(path: Path, root: bool) -> None:
    person(path, root=root)
    program(path, "sudo", '[ "$1" = -n ] && shift; exec "$@"')
    program(path, "apt-get", f'echo "$@" >> {path}/asked')
    answer = script(path, "ensure-exiftool")
    assert answer.returncode == 0
    assert answer.stderr == f"Installing {APT} …\n"
    assert (path / "asked").read_text() == f"-qq install -y {APT}\n"


def test_an_install_that_fails_says_why_and_what_to_run(path: Path) -> None:
    person(path, root=True)
    program(path, "apt-get", 'echo "E: Unable to reach the mirror" >&2; exit 100')
    answer = script(path, "ensure-exiftool")
    assert answer.returncode == 0
    assert "apt-get failed: E: Unable to reach the mirror" in answer.stderr
    assert f"Run: sudo apt install {APT}" in answer.stderr


def test_a_mac_gets_exiftool_from_homebrew(path: Path) -> None:
    program(path, "brew", f'echo "$@" >> {path}/asked')
    assert script(path, "ensure-exiftool").returncode == 0
    assert "install" in (path / "asked").read_text()


def test_a_python_without_venv_is_named_with_the_package_it_lacks(
    path: Path, tmp_path: Path
) -> None:
    version = ".".join(str(part) for part in sys.version_info[:2])
    lacking = program(
        path,
        "python-without-venv",
        f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"',
    )
    answer = script(path, "ensure-venv", str(lacking), str(tmp_path / "venv"))
    assert answer.returncode == 1
    assert f"sudo apt install python{version}-venv" in answer.stderr
    assert not (tmp_path / "venv").exists()


def test_a_missing_or_old_python_is_told_apart(path: Path, tmp_path: Path) -> None:
    venv = str(tmp_path / "venv")
    answer = script(path, "ensure-venv", "python-nowhere", venv)
    assert answer.returncode == 1
    assert "python-nowhere is not installed" in answer.stderr
    old = program(
        path,
        "python-old",
        'case "$2" in *exit*) exit 1;; *print*) echo 3.9;; esac',
    )
    answer = script(path, "ensure-venv", str(old), venv)
    assert answer.returncode == 1
    assert "is Python 3.9, and 3.11 or newer is needed" in answer.stderr


def test_a_folder_that_is_no_virtual_environment_is_left_alone(
    path: Path, tmp_path: Path
) -> None:
    keep = tmp_path / "photos" / "keep.jpg"
    keep.parent.mkdir()
    keep.write_bytes(b"mine")
    answer = script(path, "ensure-venv", sys.executable, str(keep.parent))
    assert answer.returncode == 1
    assert "is no virtual environment" in answer.stderr
    assert keep.read_bytes() == b"mine"


def test_a_half_made_virtual_environment_is_completed(
    path: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "pyvenv.cfg").write_text(
        f"home = {Path(sys.executable).parent}\ninclude-system-site-packages = false\n"
    )
    answer = script(path, "ensure-venv", sys.executable, str(venv))
    assert answer.returncode == 0, answer.stderr
    works = subprocess.run(
        [venv / "bin" / "pip", "--version"], capture_output=True, text=True
    )
    assert str(venv) in works.stdout


def test_make_explains_every_target_a_person_uses() -> None:
    answer = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    explained = {line.split()[0] for line in answer.stdout.splitlines()}
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony
    assert explained == set(phony[1].split())
    assert {"start", "demo", "test", "test-slow", "lint"} <= explained


def names_pinned(file: str) -> set[str]:
    lines = (ROOT / file).read_text().splitlines()
    wanted = [line for line in lines if line and line[0] not in "#-"]
    assert all(re.match(r"[\w.-]+==\S+(\s+#.*)?$", line) for line in wanted)
    return {spelt(line.partition("==")[0]) for line in wanted}


def spelt(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# What is in this repository.
OURS = {"tagger", "pages", "tests", "scripts"}


def imported(files: list[Path]) -> set[str]:
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - OURS


def distributions(modules: set[str]) -> dict[str, set[str]]:
    known = metadata.packages_distributions()
    return {name: {spelt(one) for one in known[name]} for name in modules}


def test_every_import_of_the_program_is_pinned() -> None:
    files = [ROOT / "app.py", *ROOT.glob("pages/**/*.py"), *ROOT.glob("tagger/**/*.py")]
    pinned = names_pinned("requirements.txt")
    for module, packages in distributions(imported(files)).items():
        assert packages & pinned, f"{module} is imported, but not in requirements.txt"


def test_every_import_of_the_tests_is_pinned() -> None:
    files = ("requirements.txt", "requirements-dev.txt", "requirements-oidc.txt")
    pinned = set().union(*(names_pinned(file) for file in files))
    tests = list(ROOT.glob("tests/**/*.py"))
    for module, packages in distributions(imported(tests)).items():
        assert packages & pinned, f"{module} is imported, but not pinned"
