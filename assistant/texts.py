"""Everything said to the user, in Swedish."""

from __future__ import annotations

from datetime import date

SCOPE = ("Jag hjälper dig att hitta och läsa reglerna om när en uppgift om en enskild får, ska eller inte får lämnas mellan "
         "svenska myndigheter. Jag citerar lagtext, förarbeten och vägledning ordagrant. Jag fattar inga beslut och har inga ärenden.")
DISCLAIMER = "Stöd för bedömning – beslutet fattas av dig."
EXAMPLES = (
    "Får vi på Försäkringskassan tipsa Skatteverket om svart lön?",
    "Måste skolan göra en orosanmälan när ett barn har blåmärken?",
    "Polisen begär telefonnumret till en klient hos socialtjänsten – vad gäller?",
)
NO_PERSONAL_DATA = "Skriv inga personnummer eller namn."

KINDS = {
    "lag": "Lag", "förordning": "Förordning", "förarbete": "Förarbete", "beslut": "Beslut", "vägledning": "Vägledning",
    "rapport": "Rapport", "not": "Vår not", "pressmeddelande": "Pressmeddelande",
}
STATUS = {
    "answered": "Besvarad med källor", "answered_with_handoff": "Besvarad – en intresseavvägning behövs",
    "clarification_needed": "Jag behöver veta mer", "unanswerable_no_source": "Källor saknas",
    "unanswerable_out_of_scope": "Utanför det jag kan svara på", "refused_personal_data": "Stoppad: personuppgift",
    "refused_decision_on_person": "Stoppad: gäller en namngiven person", "refused_manipulation": "Stoppad: försök att styra svaret",
    "withheld_unverified": "Svaret hölls inne", "error_empty": "Tom fråga", "error_too_long": "För lång fråga",
    "error_internal": "Ett fel inträffade",
}
PERSONAL_DATA = ("Frågan innehåller ett {kind} och har stoppats. Den har inte sparats eller sökts på. Skriv om frågan utan uppgifter som "
                 "pekar ut en person, till exempel: «Får socialnämnden lämna uppgift om en klients adress till polisen?»")
DECISION_ON_PERSON = ("Frågan gäller en namngiven person. Jag har inga ärenden och bedömer inte enskilda. Ta bort namnet och beskriv i "
                      "stället vem som lämnar, vem som tar emot, vilken sorts uppgift det gäller och varför den behövs.")
MANIPULATION = ("Frågan innehåller en uppmaning om hur jag ska svara. Jag svarar bara utifrån källorna. Ställ frågan i sak, så söker jag "
                "upp vad som gäller.")
EMPTY = "Skriv en fråga, till exempel: «{example}»"
TOO_LONG = "Frågan är längre än {limit} tecken. Korta ner den till det som avgör: vem lämnar, vem tar emot, vilken uppgift och varför."
INTERNAL = "Något gick fel när frågan behandlades, och den har stoppats. Försök igen; kvarstår felet, kontakta förvaltaren med kod {code}."
OUT_OF_SCOPE = ("Det ligger utanför det jag kan svara på. Jag svarar på frågor om sekretess och om att lämna uppgifter mellan svenska "
                "myndigheter.")
ABOUT_ASSISTANT = ("Mina svar är inga beslut och går därför inte att överklaga. Jag är ett stöd för din bedömning. En myndighets beslut "
                   "att inte lämna ut en uppgift kan däremot överklagas; fråga gärna om det.")
FOREIGN_LAW = ("Frågan gäller utländsk rätt. Jag har bara svenska källor. Om en svensk myndighet ska lämna något utomlands kan jag "
               "svara på det.")
NO_SOURCE = "Jag hittar inget i källorna som bär ett svar. {missing}"
NO_SUCH_PROVISION = "{label} finns inte i den text jag har, i den lydelse som gäller {day}."
NO_TEXT = "Texten till {label} finns inte bland källorna, så jag kan inte citera den."
NOT_YET = "{label} gäller först från den {day}. På det datum du frågar om fanns den inte i denna lydelse."
REPEALED = "{name} är upphävd. I dag gäller {now}."
WITHHELD = ("Jag fann ett svar, men ett citat stämde inte tecken för tecken med den lagrade källan. Svaret visas därför inte. "
            "Indexet kan vara skadat: be förvaltaren bygga om det.")
WITHHELD_SOME = "{count} påstående(n) hölls inne för att citatet inte stämde med källan."
OLD_LAW = ("Källorna visar lagtexten från och med den {as_of}. Hur äldre lydelser såg ut framgår inte alltid, så svaret för ett tidigare "
           "datum kan vara ofullständigt.")
PROPOSAL = "{title} ({kind}) beskriver ett förslag, inte gällande rätt."
OLDER = "{title} ({kind}) beskriver äldre rätt."
PRESS = "Ett pressmeddelande är ingen rättslig grund. Lagens ord gäller."
RECORD_FAILED = "Svaret kunde inte registreras i loggen. Säg till förvaltaren."
KEYWORD_ONLY = "Sökningen går på ord just nu."
MODEL_FAILED = "Språkmodellen kunde inte användas ({problem}). Svaret är sammanställt direkt ur källorna."

MODEL_TOKENS = "Språkmodellen hänvisade till {count} källa(or) som inte finns i svaret. De har tagits bort."

SHORT = "Kort svar"
LAW_SAYS = "Vad källorna säger"
MIND = "Att tänka på"
NEXT = "Nästa steg"
HANDOFF = ("Här krävs en intresseavvägning, och den gör du. Gå vidare till checklistan, så går vi igenom frågorna en i taget och du "
           "får ett "
           "protokoll.")
CLOSED = "{ground} kan inte användas: sekretess enligt {secrecy} är undantagen."
HANDOFF_INFO = "Ska du lämna en uppgift med stöd av regeln görs först en intresseavvägning; checklistan leder dig genom den."
ASK = {
    "sender": "Vilken myndighet eller verksamhet har uppgiften?", "recipient": "Vem ska få uppgiften?",
    "datum": "Vilken sorts uppgift gäller det?", "purpose": "Vad ska uppgiften användas till?",
    "secrecy": "Vilken sekretess gäller för uppgiften hos er?",
    "mode": "Har mottagaren begärt uppgiften, eller vill ni lämna den på eget initiativ?",
}
CLARIFY = "Frågan går inte att besvara innan jag vet mer. Svara på det här, så söker jag på nytt:"
CONTACT_LAWYER = "Rättsläget är oklart här. Ta frågan till myndighetens jurist."

TESTS = {
    "overvagande_skal_mot": "uppgiften får lämnas om inte övervägande skäl talar för att sekretessintresset går före",
    "uppenbart_for": "det måste vara uppenbart att intresset av att lämna uppgiften väger tyngre",
    "foretrade_for": "intresset av att lämna uppgiften måste väga tyngre",
    "star_klart_mot": "uppgiften ska lämnas om det inte står klart att sekretessintresset går före",
    "synnerliga_skal_mot": "uppgiften ska lämnas om inte synnerliga skäl talar för att sekretessintresset går före",
    "overvagande_skal_mot_allm": "uppgiften ska lämnas om inte övervägande skäl talar emot det",
}
MONTHS = ("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december")


def day(value: date) -> str:
    """«1 december 2025»."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


# --- the web window

NAME = "Delningsstöd"
PAGES = {"chat": "Fråga", "assessment": "Intresseavvägning", "sources": "Källor", "review": "Granskning", "about": "Om tjänsten"}
GREETING = "Får uppgiften lämnas, och med vilket stöd?"
QUESTION_PLACEHOLDER = "Skriv din fråga här"
AS_OF = "Händelsedatum"
AS_OF_WHY = "Lagen den dagen gäller för svaret."
TRY = "Så kan en fråga se ut"
WORKING = "Söker i källorna … Kontrollerar citaten …"
READY = "Svaret är klart"
YOU_ASKED = "Din fråga"
QUESTION_STOPPED = "(frågan stoppades)"
NEW_CONVERSATION = "Ny konversation"
CLEARED = "Konversationen är borttagen."
UNDO = "Ångra"
LAW_AS_OF = "Lagtext per {day}"
SOURCES_OF_ANSWER = "Källor i detta svar ({count})"
SHOW_SOURCE = "Visa källa {number}: {label}"
NEIGHBOURS = "Visa texten före och efter"
BEFORE = "Före"
AFTER = "Efter"
PAGE = "sidan {page}"
OFFICIAL = "Öppna den officiella källan (ny flik)"
NO_LINK = "Ingen länk finns till den här källan."
OWN_NOTE = "Förklaring i våra egna ord. Lagens ord gäller."
COPY_REFERENCE = "Kopiera källhänvisning"
COPY_ANSWER = "Kopiera svaret med källor"
COPIED = "Kopierat"
NOT_COPIED = "Gick inte att kopiera"
BACK = "Tillbaka till svaret"
CORRECTION = "Frågan utgår från något som inte stämmer."
TEST = "Provet: {test}."
TO_CHECKLIST = "Till intresseavvägningen"
CHECKLIST_COMING = "Checklistan är på väg och finns inte här än. Gör avvägningen enligt er egen rutin så länge, och anteckna skälen."
PREFILLED = "Det du redan har skrivit följer med som förslag. Du bekräftar varje uppgift själv."
COMPLETE = "Komplettera frågan"
COMPLETE_WHY = "Svara på det du kan, så söker jag på nytt."
FIELDS = {"sender": "Avsändare", "recipient": "Mottagare", "purpose": "Syfte", "datum": "Uppgift", "secrecy": "Sekretess",
          "mode": "På begäran eller inte"}
SEARCH_AGAIN = "Sök på nytt"
FILL_ONE = "Fyll i minst ett fält."
HELPED = "Det här hjälpte"
WRONG = "Något är fel"
WHAT_WRONG = "Vad är fel? Skriv inga personnummer eller namn."
SEND = "Skicka"
THANKS = "Tack. Svaret är noterat."
REASON_PERSON = "Texten innehåller ett {kind} och sparades inte. Skriv om den utan uppgifter som pekar ut en person."
REASON_NAME = "Texten ser ut att innehålla ett namn och sparades inte. Skriv om den utan namn."
REASON_LONG = "Texten är för lång och sparades inte. Korta ner den till högst {limit} tecken."
FEEDBACK_FAILED = "Det gick inte att spara ({reason}). Säg till förvaltaren."
VALID_FROM = "Gäller från {day}"
VALID_COMING = "Kommande: gäller från {day}"
VALID_ENDS = "Upphör {day}"
VALID_ENDED = "Upphörde {day}"
IS_PROPOSAL = "Förslag"
IS_OLDER = "Äldre rätt"
PUBLISHED = "Publicerad {day}"
FIRST_START = "Källorna läses in. Det görs en gång och tar vanligen under en minut; därefter öppnas de direkt."
OPENING = "Öppnar källorna …"
STEP = "{what}: {done} av {total}"
NOT_READY = "Källorna kunde inte öppnas"
BROKEN = "Något gick fel i fönstret. Ladda om sidan; kvarstår felet, kontakta förvaltaren med kod {code}."

SOURCES_INTRO = "Här ser du vilka källor svaren bygger på, och kan läsa dem själv."
SOURCES_HELD = "{sources} källor med {passages} textavsnitt. Lagtext per {law_as_of}. Indexet byggdes {built}."
SOURCES_EMPTY = "Inga källor är inlästa än. Läs in dem med «delningsstod corpus build», och ladda sedan om sidan."
PROVISION = "Läs en bestämmelse som den lyder en viss dag"
PROVISION_FIELD = "Lagrum"
PROVISION_EXAMPLE = "10 kap. 15 a § OSL"
PROVISION_DAY = "Dag"
PROVISION_UNREAD = "Jag känner inte igen lagrummet. Skriv till exempel «10 kap. 15 a § OSL» eller «4 § LUB»."
PROVISION_MISSING = "{label} finns inte bland källorna."
PROVISION_NOT_THEN = "{label} gällde inte den {day}."
OTHER_VERSIONS = "Andra lydelser bland källorna"
IN_SOURCE = "Sök i en källa"
SOURCE = "Källa"
SOURCE_CHOOSE = "Välj eller skriv en källas namn"
SOURCE_WORDS = "Ord att söka efter (tomt visar källan från början)"
FOUND = "{count} textavsnitt"
FOUND_NONE = "Inget textavsnitt i källan har de orden."
MORE = "Visa fler"
LISTED = "Alla källor"
KIND = "Slag"
ANY_KIND = "Alla slag"
TITLE_WORDS = "Ord i titeln"
LISTED_NONE = "Ingen källa passar."
PASSAGES = "{count} textavsnitt"
SKIPPED = "Filer som hoppades över ({count})"
SKIPPED_NONE = "Inga filer hoppades över."
SHOW_LIST = "Visa listan"
HANDOFF_AHEAD = "Här krävs en intresseavvägning, och den gör du. Checklistan finns under Nästa steg."
READ_NOTES = "Att veta om hur källor lästes ({count})"

ABOUT = (
    ("Vad tjänsten gör", (
        "{scope}",
        "Svaret är hopsatt av textavsnitt ur källorna. Varje citat jämförs tecken för tecken med den lagrade texten innan det visas.",
        "Ett citat som inte stämmer hålls inne.",
        "När lagen kräver en intresseavvägning svarar tjänsten inte ja eller nej. Då får du en checklista, och du gör bedömningen.")),
    ("Vad tjänsten inte gör", (
        "Den fattar inga beslut, har inga ärenden och bedömer inga personer. {disclaimer}",
        "Den ersätter inte jurist, praxis eller myndighetens egna riktlinjer.",
        "Det som inte finns bland källorna kan den inte svara på, och då säger den det.",
        "Noter är förklaringar i våra egna ord. De är ännu inte granskade av jurist om inget annat står. Lagens ord gäller.")),
    ("Dina frågor", (
        "{no_personal_data} En fråga med ett personnummer stoppas innan något söks, sparas eller skickas.",
        "Frågans ord sparas inte. För varje fråga antecknas tid, hur den slutade, händelsedatum och vilka textavsnitt som användes.")),
)
ABOUT_MODEL = "Språkmodell"
MODEL_NONE = "Ingen språkmodell används. Svaren är hopsatta av källornas egna ord enligt fasta regler."
MODEL_SET = ("Språkmodellen {name} är inställd. Den får bara formulera det som kontrollerade textavsnitt säger; "
             "vilka regler som gäller räknas fram utan den.")
ABOUT_VERSION = "Version"
ABOUT_INDEX = (("Lagtext per", "law_as_of"), ("Index", "version"), ("Byggt", "built"), ("Källor", "sources"), ("Textavsnitt", "passages"))
ABOUT_CONTACT = "Kontakt"
NO_CONTACT = "Kontaktuppgift är inte inställd. Fråga den som förvaltar tjänsten på din myndighet."


def amount(number: int) -> str:
    """«38 780»: a number with spaces between the thousands."""
    return f"{number:,}".replace(",", "\u00a0")
