"""The widget as it is fetched: one script with its words and style in it, and the frame for pages that can't run a script."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant import texts
from assistant.grounds import load, wording
from assistant.settings import Settings

HERE = Path(__file__).parent / "widget"
CACHING = "public, no-cache"  # kept by the browser, asked about at every page: a new version is in use at once

OWN = {  # what only the widget says
    "launch": "Fråga Delningsstöd", "close": "Stäng", "ask": "Fråga", "talk": "Samtal", "your_question": "Din fråga",
    "to_checklist": "Till checklistan", "in_window": "Öppna checklistan i webbfönstret (ny flik)", "checklist": "Checklista",
    "to_talk": "← Tillbaka till samtalet", "given": "Uppgiften lämnas {way}.", "wording": "i lydelse enligt {version}",
    "checking": "Källor som hittades. Citaten kontrolleras innan svaret visas.",
    "empty": "Skriv en fråga först.", "wait": "Vänta tills svaret är klart.",
    "signed_out": "Du är inte inloggad, eller så har inloggningen gått ut. Ladda om sidan och försök igen.",
    "no_token": "Inloggningen kunde inte hämtas. Ladda om sidan och försök igen.",
    "refused": "Tjänsten tog inte emot det. Kontakta förvaltaren.",
    "too_many": "Du har ställt många frågor på kort tid. Försök igen om {seconds} sekunder.",
    "broken": "Tjänsten har ett fel just nu. Försök igen om en stund.",
    "unreachable": "Det går inte att nå Delningsstöd. Kontrollera nätet och försök igen. Kvarstår felet kan det bero på att den här "
                   "webbplatsen inte är tillåten att använda tjänsten; kontakta då förvaltaren.",
    "day_form": "ÅÅÅÅ-MM-DD", "no_such_day": "Skriv händelsedatumet som ÅÅÅÅ-MM-DD, till exempel 2025-12-01.",
    "kept_talk": "Dina frågor och svaren sparas åt dig tills de gallras. En fråga med personnummer sparas aldrig.",
    "kept": "Svaren sparas åt dig tills du raderar dem eller de gallras.", "leave": "Avbryt och radera svaren",
    "left": "Svaren är raderade.",
    "sign_on": "Öppna Delningsstöd och logga in (ny flik)", "proposed": "Förslag ur din fråga",
    "slow": "Svaret dröjer. Försök igen om en stund.",
}
_SHARED = {  # what is said in the same words as in the web window
    "name": "NAME", "always": "DISCLAIMER", "no_personal_data": "NO_PERSONAL_DATA", "examples": "EXAMPLES", "greeting": "GREETING",
    "scope": "SCOPE", "try": "TRY", "kinds": "KINDS", "status": "STATUS", "as_of": "AS_OF", "as_of_why": "AS_OF_WHY",
    "working": "WORKING", "ready": "READY", "you_asked": "YOU_ASKED", "question_stopped": "QUESTION_STOPPED",
    "new_conversation": "NEW_CONVERSATION", "law_as_of": "LAW_AS_OF", "sources": "SOURCES_OF_ANSWER", "show_source": "SHOW_SOURCE",
    "page": "PAGE", "official": "OFFICIAL", "no_link": "NO_LINK", "own_note": "OWN_NOTE", "copy_reference": "COPY_REFERENCE",
    "copy_answer": "COPY_ANSWER", "copied": "COPIED", "not_copied": "NOT_COPIED", "back": "BACK", "correction": "CORRECTION",
    "handoff": "HANDOFF", "handoff_ahead": "HANDOFF_AHEAD", "test": "TEST", "prefilled": "PREFILLED", "complete": "COMPLETE",
    "complete_why": "COMPLETE_WHY", "fields": "FIELDS", "asks": "ASK", "usual": "USUAL", "write_own": "WRITE_OWN", "clarify": "CLARIFY",
    "search_again": "SEARCH_AGAIN", "fill_one": "FILL_ONE", "helped": "HELPED", "wrong": "WRONG", "what_wrong": "WHAT_WRONG",
    "wrong_is_kept": "WRONG_IS_KEPT", "send": "SEND", "thanks": "THANKS", "valid_from": "VALID_FROM", "coming": "VALID_COMING",
    "ends": "VALID_ENDS", "ended": "VALID_ENDED", "proposal": "IS_PROPOSAL", "older": "IS_OLDER", "confirm": "ASSESS_CONFIRM",
    "confirm_why": "ASSESS_CONFIRM_WHY", "confirm_fields": "ASSESS_CONFIRM_FIELDS", "unsaid": "ASSESS_UNSAID",
    "confirmed": "ASSESS_CONFIRMED", "progress": "ASSESS_PROGRESS", "example": "ASSESS_HELP_EXAMPLE", "reason": "ASSESS_REASON",
    "reason_some": "ASSESS_REASON_SOME", "reason_free": "ASSESS_REASON_FREE", "reason_help": "ASSESS_REASON_HELP",
    "next_step": "ASSESS_NEXT", "previous": "ASSESS_BACK", "choose_one": "ASSESS_CHOOSE_ONE", "result": "ASSESS_RESULT",
    "because": "ASSESS_BECAUSE", "fetch": "ASSESS_FETCH", "todo": "ASSESS_DO", "decided_by_you": "DECIDED_BY_YOU",
    "protocol": "ASSESS_PROTOCOL", "protocol_why": "ASSESS_PROTOCOL_WHY", "as_docx": "ASSESS_DOCX", "as_json": "ASSESS_JSON",
    "summary": "ASSESS_SUMMARY", "change": "ASSESS_CHANGE", "so_far": "ASSESS_SUMMARY_SO_FAR", "direction": "ASSESS_DIRECTION",
    "law_text": "LAW_TEXT", "next": "NEXT",
    "use_proposal": "PROPOSAL_USE", "person_question": "PERSONAL_DATA", "person_text": "REASON_PERSON",
}


def routes(settings: Settings) -> list[Route]:
    """The two addresses of the widget, for the app that serves the API. Open to everyone: nothing here is secret."""
    def script(request: Request) -> Response:
        return _sent(request, made(), "text/javascript", {})

    def frame(request: Request) -> Response:
        return _sent(request, (HERE / "frame.html").read_bytes(), "text/html", {"Content-Security-Policy": policy(settings)})

    return [Route("/widget/delningsstod-chat.js", script, methods=["GET"]), Route("/widget/frame", frame, methods=["GET"])]


def policy(settings: Settings) -> str:
    """What the frame may load (its script, and the API it talks to), and who may frame it: the listed sites and nobody else."""
    return "; ".join(("default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
                      " ".join(("frame-ancestors 'self'", *settings.origins))))


@cache
def made() -> bytes:
    """The script, with its words and its style put in."""
    words = json.dumps(said(), ensure_ascii=False, separators=(",", ":"))
    style = re.sub(r"\s*\n\s*|/\*.*?\*/", " ", (HERE / "delningsstod-chat.css").read_text(encoding="utf-8"))
    script = (HERE / "delningsstod-chat.js").read_text(encoding="utf-8")
    script = re.sub(r"\n\s*(?://.*)?", "\n", script)  # no text in it runs over a line
    for name, value in (("__TEXTS__", words), ("__STYLE__", json.dumps(style.strip(), ensure_ascii=False))):
        script = script.replace(name, value, 1)
    return re.sub(r"\n+", "\n", script).encode()


def said() -> dict[str, object]:
    """Every word the widget shows, by the names its script uses."""
    law = load.shipped()
    roles = (("svar", texts.SHORT, "short"), ("skäl", texts.LAW_SAYS, "reasons"), ("tänk_på", texts.MIND, "mind"))
    return OWN | {name: getattr(texts, there) for name, there in _SHARED.items()} | {
        "roles": roles, "modes": wording.MODES, "tests": {code: one.formula for code, one in law.tests.items()},
        "purposes": {code: one.wording for code, one in law.purposes.items()}}


def _sent(request: Request, body: bytes, kind: str, more: dict[str, str]) -> Response:
    """``body`` as ``kind``, packed for a browser that takes it; «not changed» to one that has it."""
    headers = {"ETag": f'W/"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": CACHING, "Vary": "Accept-Encoding", **more}
    if headers["ETag"] in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(gzip.compress(body, mtime=0), media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(body, media_type=kind, headers=headers)
