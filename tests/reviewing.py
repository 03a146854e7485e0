"""People who review, what they judge, and what several of them do at the same moment, each in a process of their own.

``python -m tests.reviewing URL WORK`` opens the database, says so, waits for a line and does the work.
"""

from __future__ import annotations

import sys

from assistant.settings import Settings
from assistant.storage.database import opened
from evals.review import Action, Person, Refused, Role
from evals.review_store import Store

MANY = 25
ANNA, BO, CIA = (Person(name, Role.JURIST) for name in ("Anna Ek", "Bo Alm", "Cia Dahl"))
FRIDA = Person("Frida Falk", Role.FORVALTARE)
NUMBER = "19121212-1212"
CITATION = {
    "id": "k1", "ref": "SFS 2009:400 10 kap. 15 a §", "pinpoint": "", "label": "10 kap. 15 a § OSL", "source": "sfs-2009-400",
    "kind": "lag", "quote": "Sekretess hindrar inte", "start": 0, "end": 22, "passage_id": "p1", "passage_sha256": "0" * 64, "version": "",
    "valid_from": "2025-12-01", "valid_to": None, "url": "", "status": "gällande", "title": "OSL", "page": None, "verified": True}
ANSWER = {
    "answer_id": "a1", "status": "answered", "completeness": "complete", "as_of_date": "2026-11-22", "law_as_of": "2026-01-01",
    "text_md": "Svar", "claims": [{"id": "p1", "text": "Ja.", "citation_ids": ["k1", "k2"], "role": "svar"}],
    "citations": [CITATION, {**CITATION, "id": "k2", "ref": "SFS 2009:400 10 kap. 27 §"}], "grounds": [], "handoff": None, "missing": [],
    "next_steps": [], "warnings": [], "withheld_claims": 0}
RIGHT = {"korrekt": "ja", "fullständig": "ja", "rätt grund": "ja", "rätt tröskel": "ja", "borde ha avstått": "nej"}


def row(name="K001", **more):
    return {"id": name, "topic": "15a", "question": "Får vi tipsa Skatteverket?", "as_of": "2026-11-22", "answer": ANSWER, **more}


def verdict(k1="stödjer", severity="inget", comment="", **answers):
    return {"citations": {"k1": k1, "k2": "stödjer"}, "answer": {**RIGHT, **{key.replace("_", " "): one for key, one in answers.items()}},
            "severity": severity, "comment": comment, "corrected": ""}


WRONG = verdict("fel källa", "allvarligt", "Annan paragraf gäller.", korrekt="nej")


def many(store):
    """Answers in the queue, for Anna and Bo to review."""
    store.enqueue([row(f"K{number:03}") for number in range(MANY)], "körning 1", FRIDA)
    return store.act_on_each(FRIDA, Action.ASSIGNED, {"reviewers": [ANNA.name, BO.name]}, lambda item: True)


def each(store, who, action, body):
    """Do the same to every answer; say of each whether it could be done."""
    for item in store.items():
        try:
            store.act(item.number, who, action, body)
            print("done")
        except Refused:
            print("refused")


def anna_judges(store):
    each(store, ANNA, Action.JUDGED, verdict())


def anna_changes_her_mind(store):
    each(store, ANNA, Action.JUDGED, WRONG)


def bo_judges(store):
    each(store, BO, Action.JUDGED, verdict())


def anna_takes_hers(store):
    each(store, ANNA, Action.ASSIGNED, {"reviewers": [ANNA.name]})


def bo_takes_his(store):
    each(store, BO, Action.ASSIGNED, {"reviewers": [BO.name]})


def queue_in_turns(store):
    for number in range(MANY):
        store.enqueue([row(f"K{number:03}")], "körning 1", FRIDA)


def fill(store):
    """As the page does it, twenty of the newest run."""
    from evals import workbench

    bench = workbench.Workbench(workbench.Settings(), store.database)
    bench.fill(FRIDA, None, lambda *_: None)


def take_over(store):
    print(store.take_over(Settings().data / "review.sqlite"))


if __name__ == "__main__":
    asked = Store(opened(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    globals()[sys.argv[2]](asked)
