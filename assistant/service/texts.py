"""What the API and the MCP server say, in Swedish."""

from __future__ import annotations

TITLE = "Delningsstöd"
ABOUT = ("Stöd för att bedöma om en uppgift får lämnas mellan svenska myndigheter. Svar vilar på citat som är kontrollerade tecken för "
         "tecken. Där lagen kräver en intresseavvägning gör en person den, i en checklista. Fel är application/problem+json (RFC 9457).")
MCP_ABOUT = ("Svenska regler om sekretess och om att lämna uppgifter mellan myndigheter. Citera bara det som verktygen ger, och "
             "kontrollera citat med verify_citation. Skicka aldrig personuppgifter. En intresseavvägning görs av en människa: hänvisa till "
             "checklistan, föreslå aldrig utfallet.")

TAGS = {
    "conversations": "Samtal och svar", "law": "Lagen: grunder, checklistor, bestämmelser, citat", "assessments": "Bedömningar",
    "service": "Tjänsten",
}
SUMMARY = {
    "begin_conversation": "Börja ett samtal", "list_conversations": "Mina samtal", "get_conversation": "Ett samtal med frågor och svar",
    "delete_conversation": "Ta bort ett samtal och dess svar", "ask": "Ställ en fråga", "get_answer": "Svaret på en fråga",
    "stream_answer": "Följ svaret: källorna först, texten när den är kontrollerad",
    "find_grounds": "Vilka grunder som är öppna i ett ärende",
    "list_checklists": "Checklistor som gäller en dag", "get_checklist": "En checklista med alla steg",
    "list_assessments": "Mina bedömningar", "start_assessment": "Börja en bedömning", "get_assessment": "Var bedömningen står",
    "answer_step": "Svara på ett steg", "get_assessment_result": "Utfallet", "get_protocol": "Protokollet som Word eller JSON",
    "delete_assessment": "Ta bort en bedömning", "get_provision": "En bestämmelse som den lyder en dag",
    "verify_citation": "Kontrollera ett citat mot den lagrade texten", "list_sources": "Källorna",
    "give_feedback": "Säg om ett svar hjälpte eller är fel", "health": "Om processen är igång", "ready": "Om tjänsten kan svara",
}
MEANS = {  # the answers that an operation can give besides the one asked for
    202: "Svaret är inte klart.", 400: "Begäran går inte att läsa.", 401: "Inloggning krävs.", 403: "Rollen räcker inte.",
    404: "Finns inte, eller är någon annans.", 409: "Går inte som det står nu.", 413: "Begäran är för stor.", 415: "Bara JSON tas emot.",
    422: "Innehållet går inte att använda. Personuppgifter nämns med fält och slag, aldrig med värdet.",
    429: "För många anrop på kort tid.", 500: "Ett fel hos tjänsten.", 503: "Tjänsten kan inte svara just nu.",
}
STREAM = ("Händelser: status {state, text}, sources {citations} med bara kontrollerade citat, answer (hela svaret), done. Varje händelse "
          "har ett id; med Last-Event-ID fortsätter strömmen efter den. Rader som börjar med kolon håller ledningen vid liv.")
EXAMPLE_REASON = "Uppgiften behövs för att räkna ut rätt ersättning."
TITLES = {
    400: "Begäran går inte att läsa", 401: "Inloggning krävs", 403: "Behörighet saknas", 404: "Finns inte",
    405: "Metoden används inte här",
    406: "Formatet finns inte", 409: "Går inte som det står nu", 413: "Begäran är för stor", 415: "Fel format",
    422: "Innehållet går inte att använda",
    429: "För många anrop", 500: "Ett fel inträffade", 503: "Inte tillgänglig just nu",
}

TOOLS = {  # what an agent reads of each tool
    "ask": "Ställ en fråga om sekretess eller om att lämna uppgifter mellan svenska myndigheter. Ger svaret med kontrollerade citat. "
           "Skriv aldrig personnummer eller namn. Följdfrågor ställs med samma conversation_id. Har svaret en handoff krävs en "
           "intresseavvägning som en människa gör i checklistan; dra ingen egen slutsats om utfallet.",
    "find_grounds": "Vilka grunder som är öppna eller stängda när en myndighet vill lämna en uppgift till en annan, räknat ur lagen som "
                    "data. Det som inte är känt utelämnas; missing säger vad som behövs.",
    "get_provision": "En bestämmelse ordagrant som den lyder en dag, till exempel «10 kap. 15 a § OSL».",
    "verify_citation": "Kontrollera att ett citat står ordagrant i den lagrade texten som gäller en dag. Ange ref eller passage_id.",
    "list_checklists": "Checklistorna som gäller en dag. De gås igenom av en människa.",
    "get_checklist": "En checklista med alla steg, svar och vart de leder. Svara aldrig på stegen åt personen.",
    "list_sources": "Källorna som finns, och lagtextens datum.",
}

PERSONAL_DATA = ("Fältet {field} innehåller ett {kind} och har stoppats. Inget har sparats eller sökts på. Skriv om det utan uppgifter som "
                 "pekar ut en person.")
SIGN_ON = "Logga in med myndighetens inloggning och försök igen."
UNREADABLE = "Begäran är inte giltig JSON i UTF-8."
TOO_LARGE = "Begäran är för stor. Skicka mindre åt gången."
NOT_JSON = "Skicka innehållet som application/json."
NO_SUCH_ADDRESS = "Adressen finns inte."
NO_SUCH_TOOL = "Verktyget finns inte."
NO_SUCH_METHOD = "Adressen finns, men inte med den metoden."
NOT_FOUND = {"conversation": "Samtalet finns inte.", "answer": "Svaret finns inte.", "assessment": "Bedömningen finns inte.",
             "checklist": "Checklistan finns inte.", "step": "Steget finns inte i checklistan.",
             "provision": "Bestämmelsen finns inte bland källorna.", "": "Det finns inte."}
INVALID = "{count} fält kan inte användas."
FIELD = {
    "missing": "Fältet saknas.", "extra_forbidden": "Objektet har ett fält som inte finns.", "string_type": "Ska vara text.",
    "string_too_long": "Texten är för lång.", "string_too_short": "Texten är för kort.",
    "string_pattern_mismatch": "Texten har fel form.",
    "string_unicode": "Texten har tecken som inte är giltiga.",
    "bool_type": "Ska vara true eller false.", "int_type": "Ska vara ett heltal.",
    "literal_error": "Värdet är inget av dem som går att välja.", "day": "Skriv en dag som finns, ÅÅÅÅ-MM-DD.",
    "dict_type": "Ska vara ett objekt.", "model_attributes_type": "Ska vara ett objekt.", "list_type": "Ska vara en lista.",
    "model_type": "Ska vara ett objekt.", "too_long": "För många värden.", "": "Värdet går inte att använda.",
}
TOO_MANY = "Du har gjort för många anrop på en minut. Försök igen om {seconds} sekunder."
TOO_MANY_QUESTIONS = "Du kan ställa {limit} frågor i minuten. Försök igen om {seconds} sekunder."
BUSY = "Många frågor besvaras just nu. Försök igen om en liten stund."
KEY_REUSED = "Idempotency-Key är redan använd till något annat. Välj en ny."
CHANGED_MEANWHILE = "Bedömningen har ändrats sedan du läste den. Läs den igen."
NOT_DONE = "Bedömningen är inte klar: svara på alla frågor först."
STORAGE = "Det går inte att läsa eller spara just nu. Försök igen; kvarstår felet, säg till förvaltaren."
INTERNAL = "Något gick fel hos tjänsten. Försök igen; kvarstår felet, kontakta förvaltaren med kod {code}."
NOT_READY = "Tjänsten är inte redo: {what}."
NOT_READY_PARTS = {"index": "källorna är inte öppnade", "database": "databasen svarar inte"}

EMPTY_QUESTION = "Skriv en fråga."
TOO_LONG_QUESTION = "Frågan är längre än {limit} tecken."
TWO_DAYS = "Dagen i ärendet och as_of ska vara samma."
ONE_PROVISION = "Skriv en bestämmelse i taget, till exempel «10 kap. 15 a § OSL»."
ONE_OF = "Ange ref eller passage_id."
EMPTY_QUOTE = "Citatet är tomt."
NOT_REACHED = "Steget är inte framme än: svara på de tidigare först."
WRONG_VALUE = "Värdet är inget av stegets svar."
REASON_NEEDED = "Skriv skälen till svaret."

ANSWERING = "Söker i källorna."
DONE = "Klart."
GONE = "Samtalet har tagits bort."

VERIFIED = "Citatet står ordagrant i {label} i den text som gäller {day}."
VERIFIED_OTHER = "Citatet står ordagrant i {label}. Källan är ingen lag."
VERIFIED_PROPOSAL = "Citatet står ordagrant i {label}, men texten är ett förslag eller beskriver äldre rätt. Det är inte lagens ord i dag."
NO_SUCH_TEXT = "Det finns ingen sådan text bland källorna."
NOT_FOUND_QUOTE = "Orden står inte så i {label}."
OTHER_WORDING = "Orden står i en annan lydelse av {label}. {day} gäller en annan ordalydelse."
REPEALED = "Orden står i {label}, men texten gällde inte längre {day}."
NOT_YET = "Orden står i {label}, men texten gällde inte ännu {day}."
