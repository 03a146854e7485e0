"""What the service is made of, as CycloneDX JSON: `python -m deploy.sbom` writes ``sbom.json`` from the lock and the environment.

The lock says which files (name, version, SHA-256), the installed distributions their licences and what they rest on. No date and no
random number: the same lock gives the same file, so that a change of it in the history is a change of what is run.
"""

from __future__ import annotations

import hashlib
import tomllib
import uuid
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy import lock

SBOM = lock.ROOT / "deploy" / "sbom.json"
MODEL = lock.ROOT / "corpus" / "model" / "model.safetensors"
_NAMESPACE = uuid.UUID("6f2f7a39-3d5c-4a54-9a0e-6d7f7d1b1c52")
_LONGEST_LICENCE = 60  # some put the licence's whole text where its name should be


def installed(one: lock.Locked) -> Distribution:
    """The distribution as installed here; ``LockError`` when it is absent or another version."""
    try:
        found = distribution(one.name)
    except PackageNotFoundError as error:
        raise lock.LockError(f"{one.name} is in the lock but not installed; run: make test") from error
    if found.version != one.version:
        raise lock.LockError(f"{one.name} is {one.version} in the lock and {found.version} here; run: python -m deploy.lock")
    return found


def licence(found: Distribution) -> str:
    """The licence a distribution declares: an SPDX expression where it gives one, else its classifier or short name."""
    declared = _field(found, "License-Expression") or _field(found, "License")
    classified = [line.rsplit(" :: ", 1)[-1] for line in found.metadata.get_all("Classifier") or () if line.startswith("License ::")]
    first = declared.strip().partition("\n")[0].strip()
    short = first if len(first) <= _LONGEST_LICENCE else ""
    return _field(found, "License-Expression") or short or " OR ".join(classified)


def _field(found: Distribution, name: str) -> str:
    return next(iter(found.metadata.get_all(name) or ()), "")


def graph(asked: Iterable[str]) -> dict[str, frozenset[str]]:
    """Name → the names it rests on, for all that ``asked`` leads to on this platform, extras followed («uvicorn[standard]»)."""
    ahead = [(canonicalize_name(one.name), extra) for one in map(Requirement, asked) for extra in ("", *one.extras)]
    seen: set[tuple[str, str]] = set()
    found: dict[str, frozenset[str]] = {}
    while ahead:
        name, extra = ahead.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        lines = map(Requirement, distribution(name).requires or ())
        needs = [one for one in lines if not one.marker or one.marker.evaluate({"extra": extra})]
        found[name] = found.get(name, frozenset()) | {canonicalize_name(one.name) for one in needs}
        ahead += [(canonicalize_name(one.name), wanted) for one in needs for wanted in ("", *one.extras)]
    return found


def made(locked: tuple[lock.Locked, ...]) -> Bom:
    """The bill of materials: the locked distributions, and the embedding that is shipped with the code."""
    licences = LicenseFactory()
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, lock.as_text(locked, "")))
    parts = {one.name: _component(one, licences) for one in locked}
    project = tomllib.loads((lock.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    root = Component(name=project["name"], version=project["version"], type=ComponentType.APPLICATION, bom_ref=project["name"],
                     licenses=[licences.make_from_string(project["license"])])
    model = Component(name="delningsstod-embedding", type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref="delningsstod-embedding",
                      hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(MODEL.read_bytes()).hexdigest())],
                      licenses=[licences.make_from_string(project["license"])])
    bom.metadata.component = root
    bom.metadata.timestamp = None  # type: ignore[assignment]  # CycloneDX lets it be left out; a date would make every run differ
    for part in (*parts.values(), model):
        bom.components.add(part)
    direct = {canonicalize_name(Requirement(line).name) for line in lock.wanted()}
    bom.register_dependency(root, [*(parts[name] for name in sorted(direct)), model])
    for name, needs in graph(lock.wanted()).items():
        bom.register_dependency(parts[name], [parts[one] for one in sorted(needs - {name})])
    return bom


def _component(one: lock.Locked, licences: LicenseFactory) -> Component:
    said = licence(installed(one))
    url = PackageURL("pypi", name=one.name, version=one.version)
    return Component(name=one.name, version=one.version, type=ComponentType.LIBRARY, bom_ref=str(url), purl=url,
                     hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)],
                     licenses=[licences.make_from_string(said)] if said else [])


def as_json(bom: Bom) -> str:
    """The bill in CycloneDX 1.6, the newest that most tools read."""
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1) + "\n"


def main(out: Path = SBOM) -> None:
    """Write the bill."""
    locked = lock.read()
    out.write_text(as_json(made(locked)), encoding="utf-8")
    print(f"{out.relative_to(lock.ROOT)}: {len(locked)} distributions and the embedding")


if __name__ == "__main__":
    main()
