"""What an authority installs from: the lock, the bill of materials, and the examples of units, proxy and containers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from assistant.service import signon
from assistant.settings import Settings
from deploy import lock, sbom
from tests.test_several_processes import NGINX, free_port, nginx

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


# --- units, proxy and containers -------------------------------------------------------------------------------------

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def _here(folder):
    """The units as they would lie on a host that has our paths and users: `verify` looks for both."""
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/delningsstod/.venv/bin/", f"{Path(sys.executable).parent}/")
        text = re.sub(r"^(User|Group)=.*", r"\1=daemon", text, flags=re.MULTILINE)
        (folder / unit.name.replace("@", "@8501")).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_units_are_valid(tmp_path):
    done = subprocess.run(["systemd-analyze", "verify", *map(str, _here(tmp_path).iterdir())], capture_output=True, text=True,
                          env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_leaves_little_open(unit, tmp_path):
    path = _here(tmp_path) / unit.name.replace("@", "@8501")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", str(path)], capture_output=True, text=True,
                          env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze can't judge a unit that isn't installed")
    told = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout)
    assert float(told[1]) < 2, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_reaches_only_this_machine_and_has_a_ceiling(unit):
    lines = unit.read_text(encoding="utf-8").splitlines()
    for line in ("IPAddressDeny=any", "IPAddressAllow=localhost", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=",
                 "PrivateTmp=yes"):
        assert line in lines
    assert any(line.startswith("MemoryMax=") for line in lines)


def test_every_command_of_the_units_exists():
    runs = [line.split("/delningsstod ", 1)[1].split() for unit in UNITS for line in unit.read_text(encoding="utf-8").splitlines()
            if line.startswith("ExecStart=") and "/delningsstod " in line]
    assert runs
    for words in runs:
        command = [word for word in words if not word.startswith(("-", "%"))]
        done = subprocess.run([str(Path(sys.executable).with_name("delningsstod")), *command, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)


def test_every_setting_of_the_example_exists_and_reads_the_same_to_the_shell(monkeypatch):
    known = {f"DELNINGSSTOD_{name.upper()}" for name in Settings.model_fields} | {"DATABASE_URL", "CHROMA_URL"}
    foreign = {"LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "ANONYMIZED_TELEMETRY", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY",
               "RAGAS_DO_NOT_TRACK", "STREAMLIT_BROWSER_GATHER_USAGE_STATS", "NO_PROXY"}
    text = (DEPLOY / "delningsstod.env").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) <= known | foreign
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
    settings = Settings(_env_file=DEPLOY / "delningsstod.env")
    assert settings.identity == "oidc"
    assert {role.value for role in settings.role_groups.values()} == {"läsare", "handläggare", "jurist", "förvaltare"}
    signon.check(settings, "127.0.0.1")
    command = f"set -a; . {DEPLOY / 'delningsstod.env'}; exec env -0"
    read = subprocess.run(["sh", "-c", command], env={}, capture_output=True, text=True, check=True).stdout.split("\0")
    by_shell = {name: value for name, _, value in (line.partition("=") for line in read if "=" in line)}
    monkeypatch.setattr(os, "environ", by_shell)
    assert Settings(_env_file=None) == settings


def test_no_secret_is_in_the_examples():
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.suffix in (".env", ".conf", ".yaml", ".service"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if re.search(r"(?i)\b\w*(secret|password|losenord)\w*[\"' ]*[= ][\"']?[A-Za-z0-9+/]{16,}", line):
                    assert "BYT-UT" in line, f"{path.name}: {line}"


def test_the_containers_are_as_closed_as_the_units():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"database", "vectors", "index", "one", "two", "proxy"}
    for name, one in services.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["mem_limit"], name
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert [name for name, one in services.items() if one["networks"] != ["inside"]] == ["proxy"]
    assert yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["networks"]["inside"]["internal"] is True


def _compose():
    if shutil.which("docker") and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_compose_takes_the_file(tmp_path):
    command = _compose()
    if command is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    (tmp_path / "deploy" / "secrets").mkdir(parents=True)
    shutil.copy(DEPLOY / "compose.yaml", tmp_path / "deploy")
    (tmp_path / "deploy" / "secrets" / "delningsstod.env").touch()
    done = subprocess.run([*command, "-f", str(tmp_path / "deploy" / "compose.yaml"), "config"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_image_is_made_of_what_is_there_and_locked():
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert "--require-hashes -r deploy/requirements.lock" in text
    assert re.search(r"^USER delningsstod$", text, re.MULTILINE)
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert {name.rstrip("/") for name in copied} == let_in


@pytest.mark.skipif(not NGINX.exists(), reason="nginx is not installed (Debian: apt-get install nginx-light)")
@pytest.mark.parametrize("identity", ["oidc", "proxy"])
def test_nginx_takes_the_configuration(identity, tmp_path):
    with nginx(tmp_path, free_port(), [free_port(), free_port()], free_port(), identity) as (_, https):
        assert https.startswith("https://")
