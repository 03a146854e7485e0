"""The base install, locked with hashes: `python -m deploy.lock` writes ``requirements.lock``, which pip then holds to.

pip itself chooses the files, from the public index and under ``constraints.txt``, and says in its report which it chose and
their SHA-256; here they are only written down. Wheels alone: a source archive would run code at install and fetch its own tools.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "deploy" / "requirements.lock"
HEADER = """\
# Made by: .venv/bin/python -m deploy.lock    Do not edit.
# For: {platform}
# The base install (no torch, no test tools) and what builds it, every file by its SHA-256. On another platform: run the command there.
# Use: pip install --require-hashes -r deploy/requirements.lock && pip install --no-deps --no-build-isolation -e .
"""
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})")


class LockError(RuntimeError):
    """The lock can't be made or read; the message says why."""


@dataclass(frozen=True, order=True)
class Locked:
    """One distribution, pinned to one file."""

    name: str
    version: str
    sha256: str


def wanted(root: Path = ROOT) -> list[str]:
    """What the base install asks for, and what builds the package itself."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return [*project["project"]["dependencies"], *project["build-system"]["requires"]]


def resolve(root: Path = ROOT) -> tuple[tuple[Locked, ...], str]:
    """(What pip would install, for which platform). Needs the package index."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")}
    environment["PIP_CONFIG_FILE"] = os.devnull  # a machine's own folder of wheels must not decide what others are held to
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--only-binary", ":all:",
                   "--report", str(report), "-c", "constraints.txt", *wanted(root)]
        if subprocess.run(command, cwd=root, env=environment).returncode:
            raise LockError("pip could not resolve the base install; its own message stands above")
        told = json.loads(report.read_text(encoding="utf-8"))
    found = told["environment"]
    platform = f"CPython {found['python_version']}, {found['sys_platform']}, {found['platform_machine']} (manylinux wheels)"
    return tuple(sorted(_locked(item) for item in told["install"])), platform


def _locked(item: dict) -> Locked:
    url = item["download_info"]["url"]
    if not url.startswith("https://"):
        raise LockError(f"{url} is not on a package index")
    sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
    return Locked(canonicalize_name(item["metadata"]["name"]), item["metadata"]["version"], sha256)


def as_text(locked: tuple[Locked, ...], platform: str) -> str:
    """The lock as pip reads it, one distribution a line."""
    return HEADER.format(platform=platform) + "".join(f"{one.name}=={one.version} --hash=sha256:{one.sha256}\n" for one in locked)


def read(path: Path = LOCK) -> tuple[Locked, ...]:
    """The lock in ``path``; ``LockError`` for a line that isn't one pinned file."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        if not (match := _LINE.fullmatch(line)):
            raise LockError(f"{path.name}, line {number}: not «name==version --hash=sha256:…»")
        rows.append(Locked(match["name"], match["version"], match["sha256"]))
    return tuple(rows)


def main() -> None:
    """Write the lock."""
    locked, platform = resolve()
    LOCK.write_text(as_text(locked, platform), encoding="utf-8")
    print(f"{LOCK.relative_to(ROOT)}: {len(locked)} distributions, {platform}")


if __name__ == "__main__":
    main()
