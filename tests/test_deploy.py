"""What an authority installs from: the lock, the bill of materials, and the examples of units, proxy and containers."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy import lock, sbom

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def locked():
    return {one.name: one for one in lock.read()}


# --- the lock --------------------------------------------------------------------------------------------------------


def test_every_line_of_the_lock_pins_one_file_by_its_sha256(locked):
    lines = [line for line in lock.LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(locked) > 100
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


def test_the_lock_says_which_platform_it_is_for():
    assert re.search(r"^# For: CPython 3\.\d+, linux, \w+", lock.LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def test_a_line_without_a_hash_is_refused(tmp_path):
    (tmp_path / "requirements.lock").write_text("httpx==0.28.1\n", encoding="utf-8")
    with pytest.raises(lock.LockError, match="line 1"):
        lock.read(tmp_path / "requirements.lock")


def test_the_lock_holds_what_pyproject_asks_for_in_a_version_it_accepts(locked):
    asked = [Requirement(line) for line in lock.wanted()]
    wrong = [str(one) for one in asked
             if (name := canonicalize_name(one.name)) not in locked or not one.specifier.contains(locked[name].version)]
    assert asked
    assert wrong == []


def test_the_lock_and_the_constraints_name_the_same_versions(locked):
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines if "==" in line)}
    built_with = {canonicalize_name(Requirement(line).name) for line in _project()["build-system"]["requires"]}
    differ = {one.name: (one.version, pinned.get(one.name)) for one in locked.values()
              if one.name not in built_with and pinned.get(one.name) != one.version}
    assert differ == {}


def test_the_lock_is_whole_and_holds_nothing_else(locked):
    assert sbom.graph(lock.wanted()).keys() == locked.keys()


def _project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- the bill of materials -------------------------------------------------------------------------------------------


def test_the_bill_of_materials_is_the_one_its_command_makes(locked):
    assert sbom.as_json(sbom.made(tuple(locked.values()))) == sbom.SBOM.read_text(encoding="utf-8"), "run: python -m deploy.sbom"


def test_the_bill_of_materials_is_valid_cyclonedx_and_holds_the_lock_and_the_embedding(locked):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = sbom.SBOM.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    parts = {one["name"]: one for one in json.loads(text)["components"]}
    assert set(parts) == {*locked, "delningsstod-embedding"}
    assert all(parts[name]["hashes"] == [{"alg": "SHA-256", "content": one.sha256}] for name, one in locked.items())
    assert [name for name, one in parts.items() if not one.get("licenses")] == []
