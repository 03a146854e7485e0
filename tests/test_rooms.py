"""The house: who may import whom, and nothing happens on import."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("corpus", "assistant", "evals")
SHOWS = ("app.py", "assistant/pages/", "assistant/service/serve.py", "evals/workbench.py")  # who may know the pages
ONLY = {  # a library → the files that may import it
    "chromadb": {"corpus/index.py"},
    "streamlit": {"app.py", "assistant/pages"},
    "ragas": {"evals/ragas_metrics.py"},
    "langchain_openai": {"assistant/model.py"},
    "langchain": {"assistant/model.py"},
    "torch": {"corpus/embed.py", "corpus/train.py"},
    "sentence_transformers": {"corpus/embed.py", "corpus/train.py"},
    "sqlalchemy": {"assistant/storage", "assistant/audit.py", "evals/review_store.py"},
    "alembic": {"assistant/storage"},
    "fastapi": {"assistant/service"},
    "starlette": {"assistant/service", "assistant/pages/window.py"},
    "uvicorn": {"assistant/service"},
    "mcp": {"assistant/service"},
    "authlib": {"assistant/service"},
    "joserfc": {"assistant/service"},
    "itsdangerous": {"assistant/service"},
}


def _imports():
    for path in [*ROOT.glob("*.py"), *(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))]:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield name, node.module


def test_rooms_import_downwards_only():
    wrong = [(name, module) for name, module in _imports()
             if (name.startswith("corpus/") and module.split(".")[0] in ("assistant", "evals"))
             or (name.startswith("assistant/") and module.split(".")[0] == "evals")
             or (module.startswith("assistant.pages") and not name.startswith(SHOWS))]
    assert wrong == []


def test_each_heavy_library_has_one_door():
    wrong = [(name, module) for name, module in _imports()
             if (doors := ONLY.get(module.split(".")[0])) and not any(name == door or name.startswith(f"{door}/") for door in doors)]
    assert wrong == []


def test_no_room_is_called_utils():
    names = {path.stem for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "common", "misc"}


def test_importing_the_journey_loads_no_model_library_and_opens_nothing():
    heavy = "{'torch', 'sentence_transformers', 'ragas', 'streamlit', 'chromadb', 'sqlalchemy', 'alembic', 'fastapi', 'mcp', 'authlib'}"
    code = f"import sys, assistant.pipeline, assistant.cli; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


def test_every_public_type_is_in_the_readmes_nomenclature():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    words = ("Question", "Source", "Passage", "Lagrum", "Hit", "Citation", "Claim", "Answer", "Status", "Route", "Case", "Finding", "Note",
             "Person", "Role", "Operation", "Service", "Conversation", "Asked", "Saved", "Item", "Event", "Verdict", "Settlement",
             "Anchor", "Fault")
    assert [word for word in words if f"`{word}`" not in readme] == []
