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
ASK = {
    "sender": "Vilken myndighet eller verksamhet har uppgiften?", "recipient": "Vem ska få uppgiften?",
    "datum": "Vilken sorts uppgift gäller det?", "purpose": "Vad ska uppgiften användas till?",
    "secrecy": "Vilken sekretess gäller för uppgiften hos er?",
    "mode": "Har mottagaren begärt uppgiften, eller vill ni lämna den på eget initiativ?",
}
USUAL = {  # answers to press instead of writing them; each is put into the question as it stands
    "sender": ("socialnämnden", "skolan", "vårdgivaren", "Försäkringskassan", "Skatteverket", "Polismyndigheten"),
    "recipient": ("Polismyndigheten", "socialnämnden", "Skatteverket", "Försäkringskassan", "Kronofogden", "skolan"),
    "datum": ("adress", "hälsa", "ekonomi", "brottsmisstanke"),
    "purpose": ("stoppa felaktiga utbetalningar", "utreda brott", "förebygga brott", "anmäla oro för ett barn",
                "tillsyn av vår verksamhet"),
    "mode": ("på begäran", "på eget initiativ"),
}
WRITE_OWN = "Eller skriv själv"
CLARIFY = "Frågan går inte att besvara innan jag vet mer. Svara på det här, så söker jag på nytt:"

WHY = {  # what speaks for a search hit
    "exact": "lagrummet står i frågan", "found": "grundsökaren", "keyword": "frågans ord i texten",
    "expansion": "lagens ord för det som sägs", "vector": "textens innebörd", "wording_words": "så frågar handläggare, ord",
    "wording_vector": "så frågar handläggare, innebörd", "core": "fältets egen lag", "note": "vår not", "statute": "annan lag",
    "document": "dokument", "press": "pressmeddelande", "outdated": "förslag eller äldre rätt", "secrecy": "frågan gäller sekretess",
    "breaking": "frågan gäller utlämnande", "family": "många kända frågor",
}
MONTHS = ("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december")


def day(value: date) -> str:
    """«1 december 2025»."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


# --- the web window

NAME = "Delningsstöd"
PAGES = {"chat": "Fråga", "share": "Får jag dela?", "assessment": "Intresseavvägning", "sources": "Källor", "review": "Granskning",
         "about": "Om tjänsten"}
SIGNED_OUT = "Du är inte inloggad, eller så har inloggningen gått ut."
SIGN_IN = "Logga in"
SIGN_OUT = "Logga ut"
GREETING = "Får uppgiften lämnas, och med vilket stöd?"
QUESTION_PLACEHOLDER = "Skriv din fråga här"
AS_OF = "Händelsedatum"
AS_OF_WHY = "Lagen den dagen gäller för svaret."
TRY = "Så kan en fråga se ut"
WORKING = "Söker i källorna … Kontrollerar citaten …"
READY = "Svaret är klart"
YOU_ASKED = "Din fråga"
QUESTION_STOPPED = "(frågan stoppades)"
NEW_CONVERSATION = "Nytt samtal"
CLEARED = "Det förra samtalet är avslutat."
UNDO = "Tillbaka till det"
LAW_AS_OF = "Lagtext per {day}"
SOURCES_OF_ANSWER = "Källor i detta svar ({count})"
SHOW_SOURCE = "Visa källa {number}: {label}"
NEIGHBOURS = "Visa texten före och efter"
BEFORE = "Före"
AFTER = "Efter"
PAGE = "sidan {page}"
OFFICIAL = "Öppna den officiella källan (ny flik)"
NO_LINK = "Ingen länk finns till den här källan."
WHOLE_PASSAGE = "Hela texten: {label}"
OWN_NOTE = "Förklaring i våra egna ord. Lagens ord gäller."
COPY_REFERENCE = "Kopiera källhänvisning"
COPY_ANSWER = "Kopiera svaret med källor"
COPIED = "Kopierat"
NOT_COPIED = "Gick inte att kopiera"
BACK = "Tillbaka till svaret"
CORRECTION = "Frågan utgår från något som inte stämmer."
TEST = "Provet: {test}."
TO_CHECKLIST = "Till intresseavvägningen"
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
FEEDBACK_FAILED = "Det gick inte att spara. {reason}"
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
    ("Det som sparas", (
        "{no_personal_data} En fråga med ett personnummer stoppas innan något söks, sparas eller skickas.",
        "Dina frågor och svaren på dem sparas som dina samtal, och de intresseavvägningar du börjar sparas som dina bedömningar.",
        "I fönstret ser bara du dem. Du kan ta bort dem när du vill, och då är de borta för gott.",
        "Har ett samtal eller en bedömning ett diarienummer kan förvaltaren ta ut det till ärendet.",
        "Säger du att ett svar är fel får juristerna en egen kopia av fråga och svar, om inget i dem pekar ut någon.",
        "En logg säger vem som gjorde vad och när, utan frågornas och svarens ord. Den går inte att ändra.")),
)
ABOUT_MODEL = "Språkmodell"
MODEL_NONE = "Ingen språkmodell används. Svaren är hopsatta av källornas egna ord enligt fasta regler."
MODEL_SET = ("Språkmodellen {name} är inställd. Den får bara formulera det som kontrollerade textavsnitt säger; "
             "vilka regler som gäller räknas fram utan den.")
ABOUT_VERSION = "Version"
ABOUT_INDEX = (("Lagtext per", "law_as_of"), ("Index", "version"), ("Byggt", "built"), ("Källor", "sources"), ("Textavsnitt", "passages"))
ABOUT_CONTACT = "Kontakt"
ABOUT_ACCESSIBILITY = "Tillgänglighet"
ACCESSIBILITY_NONE = "Tillgänglighetsredogörelsen kan inte läsas. Fråga den som förvaltar tjänsten på din myndighet."
NO_CONTACT = "Kontaktuppgift är inte inställd. Fråga den som förvaltar tjänsten på din myndighet."


def amount(number: int) -> str:
    """«38 780»: a number with spaces between the thousands."""
    return f"{number:,}".replace(",", "\u00a0")


# --- får jag dela och intresseavvägning

SHARE_INTRO = ("Fyll i vem som lämnar, vem som får och varför. Du får veta vilka grunder som är öppna, i ordning, och varför de andra är "
               "stängda. Det du fyller i sparas bara om du går vidare till en intresseavvägning och svarar där.")
SHARE_TABS = ("Ett utlämnande", "Möte med flera")
SHARE_EMPTY = ("Här visas grunderna när du har fyllt i formuläret. Avsändare, mottagare, sekretess, syfte och om uppgiften är begärd avgör "
               "vad som gäller. Är något okänt får du en fråga om det; inget gissas.")
SENDER = "Vem lämnar uppgiften?"
RECIPIENT = "Vem ska få uppgiften?"
ACTOR_CHOOSE = "Skriv en myndighet eller verksamhet"
SECRECY = "Vilken sekretess gäller för uppgiften hos den som lämnar?"
SECRECY_CHOOSE = "Skriv ett ord eller en paragraf, till exempel socialtjänst eller 26 kap. 1 §"
IS_PUBLIC = "Uppgiften är offentlig: ingen sekretess gäller för den"
PURPOSE = "Vad ska uppgiften användas till?"
PURPOSE_CHOOSE = "Välj ett syfte"
MODE = "Har mottagaren begärt uppgiften?"
MODES = {"request": "Ja, på begäran", "own": "Nej, på eget initiativ"}
DECISION_DAY = "Dag för beslutet"
SHOW_GROUNDS = "Visa grunderna"
ANOTHER_CASE = "Börja om"
YES, NO, DO_NOT_KNOW = "Ja", "Nej", "Vet inte"
RECIPIENT_KINDS = {"myndighet": "En svensk myndighet", "enskild": "En enskild eller ett företag", "utländsk": "En utländsk myndighet"}
STYCKEN = ("första stycket", "andra stycket", "tredje stycket", "fjärde stycket")
STYCKE = "Vilket stycke i {label} gäller för uppgiften?"
NUMBER_ONLY = "Skriv ett heltal."
CHOOSE = "Välj"

FACTS_HEADING = "Svara på det här också"
FACTS_WHY = "Svaren kan ändra vilken grund som är öppen. Lämna det du inte vet."
FACTS_ANSWERED = "Det du har svarat"
ANSWER_FACTS = "Räkna om med svaren"
FILL_IN = "Fyll i det här i formuläret först:"
FINDING = "Vad som gäller"
FINDINGS = {
    "PUBLIC_NO_BREAK_NEEDED": ("Offentlig uppgift", "ok", "Uppgiften är offentlig. Ingen sekretess behöver brytas."),
    "DUTY_NO_INTEREST_TEST": ("Ska lämnas", "ok", "En skyldighet gäller. Uppgiften ska lämnas, utan intresseavvägning."),
    "DUTY_WITH_INTEREST_TEST": ("Ska lämnas efter avvägning", "warn", "En skyldighet gäller, men först ska en intresseavvägning göras."),
    "PERMITTED_NO_INTEREST_TEST": ("Får lämnas", "ok", "En grund är öppen, utan intresseavvägning."),
    "PERMITTED_AFTER_INTEREST_TEST": ("Får lämnas efter avvägning", "warn", "En grund är öppen, men först ska en intresseavvägning göras."),
    "ONLY_GENERAL_CLAUSE": ("Bara generalklausulen", "warn", "Bara generalklausulen är öppen. Den kräver att det är uppenbart."),
    "MIXED_LAYERS": ("Flera grunder behövs", "warn", "Flera sekretessbestämmelser gäller, och alla måste brytas var för sig."),
    "BLOCKED": ("Ingen öppen grund", "stop", "Ingen grund är öppen för att lämna uppgiften."),
    "NOT_AUTHORITY_RECIPIENT": ("Mottagaren är ingen myndighet", "stop", "Mottagaren är inte en myndighet. Andra regler gäller då."),
    "NOT_AUTHORITY_SENDER": ("Avsändaren är ingen myndighet", "stop", "Avsändaren omfattas inte av offentlighets- och sekretesslagen."),
    "FOREIGN_8_3": ("Utländsk mottagare", "stop", "Mottagaren är utländsk. Då gäller OSL 8 kap. 3 §."),
    "LEGAL_REVIEW": ("Till jurist", "stop", "Reglerna ger inget säkert svar här. Frågan behöver en jurist."),
}
UNKNOWN = ("Uppgifter saknas", "plain", "Det går inte att säga vad som gäller innan mer är känt.")
FIRST = "Först: {provision}"
GROUND_KINDS = {"duty": ("Skyldighet", "law"), "permission": ("Möjlighet", "ok"), "trap": ("Gäller inte", "stop")}
OPEN_GROUNDS = "Öppna grunder, i ordning ({count})"
GROUND_TEST = "Prov"
GROUND_DEPENDS = "Varför"
GROUND_LIFTS = "Bryter sekretessen i {keys}."
WEIGH = "Gör intresseavvägningen"
TRY_CONDITIONS = "Gå igenom villkoren"
NO_CHECKLIST_NEEDED = "Ingen intresseavvägning behövs."
CLOSED_GROUNDS = "Stängda grunder och varför ({count})"
BESIDE = "Vägar som alltid finns vid sidan av ({count})"
WARNINGS = "Att tänka på"
TO_LAWYER = "Ta frågan till en jurist."
TO_LAWYER_WHY = "Reglerna lämnar något öppet i det här fallet. Ta med det som står här."
TRACE = "Så räknades det ut ({count} regler prövade)"
TRACE_HEAD = ("Regel", "Svar", "Avgörande uppgift", "Varför", "Version")
RULES_UNREVIEWED = "Reglerna är ännu inte granskade av jurist. Lagens ord gäller."
RIGHT_UNTIL = "Reglerna gäller rätten till och med {day}."
FIELD_NAMES = {
    "date": "dag", "sender_actor": "avsändare", "recipient_actor": "mottagare", "sender_osl": "avsändarens ställning",
    "recipient_kind": "slag av mottagare", "datum_public": "om uppgiften är offentlig", "secrecy": "sekretess", "purpose_code": "syfte",
    "mode": "sätt", "datum_subject": "vem uppgiften rör", "stycke": "stycke",
}
LAW_TEXT = "Lagtexten"
LAW_TEXT_MISSING = "Texten finns inte bland källorna."

MEETING_INTRO = ("Välj två till sex deltagare. Varje par prövas för sig, åt båda hållen, eftersom det som en får lämna till en annan inte "
                 "säger något om nästa.")
MEETING_WHO = "Vilka deltar?"
MEETING_PURPOSE = "Vad ska uppgifterna användas till?"
MEETING_MODE = "Hur lämnas uppgifterna?"
MEETING_MODES = {"request": "På begäran av den som får", "own": "På eget initiativ"}
MEETING_SECRECY = "Sekretess hos {name}"
MEETING_OWN_PURPOSE = "Syfte när {name} lämnar"
MEETING_SAME = "Samma syfte som ovan"
MEETING_SHOW = "Visa matrisen"
MEETING_FEW = "Välj minst två deltagare."
MEETING_MATRIX = "Vem får lämna till vem"
MEETING_CORNER = "Lämnar ↓ · Får →"
MEETING_SELF = "–"
PAIR = "{sender} → {recipient}: {outcome}"
PAIR_OPEN = "Öppna som eget ärende"

ASSESS_INTRO = ("En fråga i taget, med lagtexten bredvid. Du svarar och skriver skälen. Sista sidan visar vad svaren leder till och "
                "ger dig ett protokoll.")
ASSESS_PICK = "Vilken grund vill du pröva?"
ASSESS_PICK_CHOOSE = "Skriv ett lagrum eller ett ord"
ASSESS_START = "Börja"
ASSESS_PICK_FIRST = "Välj en grund först."
ASSESS_FIND = "Vet du inte vilken grund det gäller? Ta reda på det under Får jag dela?"
ASSESS_RESUME = "Fortsätt med svar ur en fil"
ASSESS_RESUME_FIELD = "Klistra in innehållet i den sparade filen"
ASSESS_RESUME_BUTTON = "Fortsätt"
ASSESS_RESUME_PERSON = "Det inklistrade innehåller ett {kind} och har inte lästs in. Ta bort det ur filen först."
ASSESS_CHANGED = "Checklistans ord har ändrats sedan svaren sparades. Se över svaren."
ASSESS_RESUMED = "Dina sparade svar är inlästa."
ASSESS_LEAVE = "Avbryt och lämna sidan"
ASSESS_PROGRESS = "Fråga {number} av högst {total}"
ASSESS_DONE = "Alla frågor är besvarade"
ASSESS_LAW_OF = "{provision}, som den lyder {day}"
ASSESS_URGENT = "Är det bråttom?"
ASSESS_TWO = "Du har redan börjat en bedömning enligt {old}. Vill du fortsätta den, eller börja en ny enligt {new}?"
ASSESS_KEEP = "Fortsätt den jag har börjat"
ASSESS_NEW = "Börja den nya"
ASSESS_TWO_KEPT = "Den du har börjat ligger kvar bland dina sparade."
ASSESS_NO_SUCH = "Adressen du följde anger en checklista som inte finns. Välj en grund här i stället."
ASSESS_CONFIRM = "Stämmer det här?"
ASSESS_CONFIRM_WHY = "Det här är förslag ur din fråga. Markera det som stämmer; resten följer inte med."
ASSESS_UNSAID = "Din fråga sa inget om: {fields}."
ASSESS_CONFIRMED = "Till första frågan"
ASSESS_CONFIRM_FIELDS = {"sender_actor": "Avsändare", "recipient_actor": "Mottagare", "purpose_code": "Syfte", "mode": "Sätt"}
PROPOSAL_FROM = {"question": "Förslag ur din fråga", "case": "Förslag ur ärendet"}
PROPOSAL_USE = "Använd förslaget"
ASSESS_HELP_EXAMPLE = "Exempel: {example}"
ASSESS_DIRECTION = "Åt vilket håll provet pekar"
ASSESS_REASON = "Skäl (måste skrivas)"
ASSESS_REASON_SOME = "Skäl (måste skrivas vid vissa svar)"
ASSESS_REASON_FREE = "Skäl (frivilligt)"
ASSESS_REASON_HELP = "Inga personnummer eller namn."
ASSESS_NEXT = "Nästa"
ASSESS_BACK = "Föregående"
ASSESS_CHOOSE_ONE = "Välj ett svar."
ASSESS_NUMBER = "Texten innehöll ett {kind}. Meningen med numret är borttagen och har inte sparats. Läs igenom skälen och fortsätt."
ASSESS_NAME = "Skälen ser ut att innehålla ett namn och har inte sparats. Skriv om dem utan namn."
ASSESS_EARLIER = "Du svarade tidigare: {answer}"
ASSESS_FETCH = "Att ta reda på"
ASSESS_SUMMARY = "Dina svar"
ASSESS_SUMMARY_SO_FAR = "Dina svar så här långt ({count})"
ASSESS_CHANGE = "Ändra fråga {number}"
ASSESS_RESULT = "Resultat"
ASSESS_BECAUSE = "Varför"
ASSESS_FOLLOWS = "Provet och dina svar"
ASSESS_DO = "Att göra nu"
DECIDED_BY_YOU = "Beslutet fattas av dig"
ASSESS_PROTOCOL = "Protokoll"
ASSESS_PROTOCOL_WHY = "Protokollet innehåller ärendet, grunderna, frågorna, dina svar och skäl, utfallet och lagtexten."
ASSESS_WHO = "Bedömningen gjord av (roll eller namn på tjänstemannen)"
ASSESS_NUMBER_FIELD = "Fältet innehöll ett {kind}. Det är borttaget och har inte sparats."
ASSESS_DOCX = "Hämta protokollet som Word"
ASSESS_JSON = "Hämta protokollet som JSON"
ASSESS_SAVE_WHY = ("Varje svar är sparat. I fönstret ser bara du dem; med ett diarienummer kan förvaltaren ta ut dem till ärendet. "
                   "Du kan också hämta svaren som en fil.")
ASSESS_SAVE_NONE = "Svaren här är inte sparade. Hämta dem som en fil om du vill ha dem kvar."
ASSESS_SAVE_BUTTON = "Hämta svaren som fil"
ASSESS_FLOW = "Hela flödet"
ASSESS_FLOW_ALT = "Bild av flödet för {provision}. Samma flöde står i ord under bilden."
ASSESS_FLOW_WORDS = "Flödet i ord"


# --- what is kept for a person

CASE_NUMBER = "Diarienummer"
CASE_NUMBER_EXAMPLE = "till exempel S 2026/123"
CASE_NUMBER_SAVE = "Spara diarienumret"
CASE_NUMBER_SAVED = "Diarienumret är sparat."
CASE_NUMBER_REFUSED = "Diarienumret innehåller {kind} och sparades inte. Skriv bara ärendets nummer."
CASE_NUMBER_KINDS = {"personnummer": "ett personnummer", "samordningsnummer": "ett samordningsnummer", "reservnummer": "ett reservnummer",
                     "namn": "ett namn"}
KEPT_HOW_LONG = "Hur länge det sparas"
KEPT_KINDS = {"conversations": "Samtal", "assessments": "Bedömningar", "feedback": "Det du säger om ett svar",
              "reviews": "Juristernas granskning"}
KEPT_DAYS = {
    "conversations": "{name} tas bort {days} dagar efter den senaste frågan, enligt gallringsbeslut {decision}.",
    "assessments": "{name} tas bort {days} dagar efter den senaste ändringen, enligt gallringsbeslut {decision}.",
    "feedback": "{name} tas bort efter {days} dagar, enligt gallringsbeslut {decision}.",
    "reviews": "{name} tas bort {days} dagar efter den senaste händelsen, enligt gallringsbeslut {decision}.",
}
KEPT_UNDECIDED = {
    "conversations": "{name} finns kvar tills du tar bort dem. Inget gallringsbeslut är inlagt.",
    "assessments": "{name} finns kvar tills du tar bort dem. Inget gallringsbeslut är inlagt.",
    "feedback": "{name} finns kvar. Inget gallringsbeslut är inlagt.",
    "reviews": "{name} finns kvar. Inget gallringsbeslut är inlagt.",
}
KEPT_UNKNOWN = "Det går inte att visa just nu. {reason}"
REMOVE_FOR_GOOD = "Ja, ta bort för gott"
REMOVE_NOT = "Nej, behåll"

ASK_AGAIN = "Ställ frågan igen"
NOT_KEPT = "Svaret kunde inte sparas och finns bara här tills du laddar om sidan. {reason}"
TALKS = "Tidigare samtal"
TALKS_NONE = "Här visas dina samtal när du har ställt en fråga. Bara du ser dem."
TALKS_AWAY = "Dina tidigare samtal kan inte visas just nu. {reason}"
TALKS_MOST = "De {count} senaste visas."
TALK_BEGUN = "{day} kl. {time}"
TALK_CASE = " · dnr {number}"
TALK_WORDLESS = "(frågans ord sparades inte)"
TALK_OPEN = "Öppna samtal {number}"
TALK_REMOVE_NUMBER = "Ta bort samtal {number}"
TALK_REMOVE = "Ta bort samtalet"
TALK_REMOVE_SURE = "Frågor och svar tas bort för gott. Vill du det?"
TALK_STAYS = "Samtalet är kvar."
TALK_REMOVED = "Samtalet är borttaget."
TALK_ABOUT = "Om samtalet"
TALK_KEPT = ("Frågor och svar i samtalet är sparade. I fönstret ser bara du dem; med ett diarienummer kan förvaltaren ta ut dem till "
             "ärendet. En fråga som stoppades är inte sparad. Under Om tjänsten står hur länge det sparas.")

SAVED = "Sparade bedömningar"
SAVED_NONE = "Här visas bedömningar som du har börjat. De sparas efter varje svar, och bara du ser dem."
SAVED_AWAY = "Dina sparade bedömningar kan inte visas just nu. {reason}"
SAVED_MOST = "De {count} senaste visas."
SAVED_WHEN = "Rätten den {on} · senast ändrad {changed}"
SAVED_FAR = "{done} av högst {total} frågor är besvarade."
SAVED_DONE = "Klar: {outcome}."
SAVED_CHANGED = "Checklistans ord har ändrats sedan dess."
SAVED_GO_ON = "Fortsätt bedömning {number}"
SAVED_REMOVE_NUMBER = "Ta bort bedömning {number}"
SAVED_REMOVE = "Ta bort bedömningen"
SAVED_REMOVE_SURE = "Svaren och skälen tas bort för gott. Vill du det?"
SAVED_STAYS = "Bedömningen är kvar."
SAVED_REMOVED = "Bedömningen är borttagen."
SAVED_LATER = "Spara och fortsätt senare"
SAVED_FOR_LATER = "Bedömningen är sparad. Den finns under Sparade bedömningar."
SAVED_NOT = "Det senaste svaret kunde inte sparas. Det finns kvar i det här fönstret. {reason}"
SAVED_AGAIN = "Försök spara igen"
SAVED_CHANGED_MEANWHILE = ("Bedömningen har ändrats i ett annat fönster sedan du öppnade den här. Dina svar i det här fönstret finns kvar, "
                           "men det senaste är inte sparat.")
SAVED_GONE = "Den sparade bedömningen har tagits bort i ett annat fönster. Dina svar i det här fönstret finns kvar, men är inte sparade."
SAVED_AS_OWN = "Spara svaren här som en egen bedömning"
SAVED_SHOW_OTHER = "Släpp svaren här och visa den andra"


# --- the review page

WRONG_IS_KEPT = ("När du skickar sparas frågan, svaret och det du skrivit för juristernas granskning. Ditt namn sparas inte. Ser något ut "
                 "att peka ut en person sparas bara svarets nummer.")
THANKS_QUEUED = "Tack. Frågan och svaret ligger nu i juristernas kö."
THANKS_WORDLESS = ("Tack. Frågan eller texten kan peka ut en person, så orden sparades inte. Bara svarets nummer och versionerna är "
                   "noterade. Ta gärna upp saken med förvaltaren.")

REVIEW_WHO = "Vem är du?"
REVIEW_WHO_WHY = ("Sidan är för jurister som granskar svar och för förvaltare som sköter kön. Namnet står vid allt du gör här. "
                  "Inloggning kommer senare; tills dess litar sidan på det du skriver.")
REVIEW_NAME = "Ditt namn"
REVIEW_ROLE = "Din roll"
REVIEW_ROLES = {"jurist": "Jurist: granskar och fastställer", "förvaltare": "Förvaltare: sköter kön, filer och versioner"}
REVIEW_ENTER = "Börja"
REVIEW_ROLE_FIRST = "Välj en roll."
REVIEW_IS = "Du är {name}, {role}."
REVIEW_CHANGE = "Byt person"
REVIEW_PARTS = {"queue": "Kö", "figures": "Statistik", "papers": "Regler och noter", "files": "Filer", "release": "Version"}
REVIEW_PARTS_LABEL = "Del av granskningen"
REVIEW_REFUSED = "Det gick inte: {reason}."

REVIEW_GUIDELINES = "Riktlinjer"
REVIEW_SCALE = (("stödjer", "allt som påstås står där"), ("stödjer delvis", "en del står där"), ("stödjer inte", "säger något annat"),
                ("fel källa", "en annan bestämmelse borde citeras"), ("upphävd", "gällde inte då"))
REVIEW_RULES = ("Läs citatet i sitt sammanhang och bedöm rätten på händelsedatumet. Skriv en kommentar så fort något är fel, utan namn på "
                "enskilda. Du ser inte den andras bedömning förrän båda har svarat.")
REVIEW_KEYS = "Tangenter"
REVIEW_KEY_LIST = (("j", "nästa fråga"), ("k", "föregående"), ("1–5", "val i den fråga som har fokus"))
REVIEW_KEYS_ON = "Kortkommandon på"

REVIEW_FILTER = "Visa"
REVIEW_FILTERS = {"mine": "Mina", "unassigned": "Otilldelade", "disputed": "Oeniga", "all": "Alla"}
REVIEW_EMPTY = {
    "mine": "Inget väntar på dig. Under Otilldelade kan en jurist ta ett svar; annars delar förvaltaren ut dem.",
    "unassigned": "Inget svar saknar granskare.", "disputed": "Inga oenigheter att avgöra.",
    "all": "Kön är tom. En förvaltare lägger svar i den.",
}
REVIEW_STATES = {"otilldelad": ("Otilldelad", "plain"), "väntar på svar": ("Väntar på bedömning", "plain"), "oeniga": ("Oeniga", "warn"),
                 "eniga": ("Eniga", "ok"), "fastställd": ("Fastställd", "ok")}
REVIEW_FILL = "Lägg 20 svar i kön"
REVIEW_FILL_WHY = "Tas ur den senaste körningen. Finns ingen besvaras personalfrågorna nu."
REVIEW_FILLING = "Besvarar frågor: {done} av {total}"
REVIEW_FILLED = "{added} svar lades i kön ur {origin}."
REVIEW_ALREADY = "{count} fanns redan."
REVIEW_LEFT_OUT = "{count} lades inte i kön:"
REVIEW_REPORTED = "Hämta svar som anmälts som fel ({count})"
REVIEW_WORDLESS = "{count} anmälda svar har bara nummer: orden kunde peka ut en person och sparades inte."
REVIEW_ASSIGN = "Granskare"
REVIEW_ASSIGN_WHY = "Två jurister. Skriv ett namn eller välj bland dem som har granskat förut."
REVIEW_ASSIGN_ONE = "Tilldela"
REVIEW_ASSIGN_ALL = "Tilldela alla otilldelade ({count})"
REVIEW_ASSIGNED = "{count} svar tilldelades {names}."
REVIEW_TAKE = "Ta svaret"
REVIEW_TAKE_WHY = "Svaret saknar granskare. Två jurister ska bedöma det var för sig."

REVIEW_TO_QUEUE = "Till kön"
REVIEW_PLACE = "{place} av {total}"
REVIEW_NEXT_ITEM = "Nästa i kön"
REVIEW_HEADING = "Granska ett svar"
REVIEW_ASKED = "Frågan"
REVIEW_EARLIER = "Tidigare i samtalet"
TOPICS = {  # what a case or a question is about
    "15a": "15 a §", "27": "generalklausulen", "LUB": "LUB", "LUFFA": "LUFFA", "neighbours": "andra sekretessbrytande regler",
    "osl10": "andra regler i 10 kap. OSL", "duty": "uppgiftsskyldigheter", "general_clause": "generalklausulen", "temporal": "rätt dag",
    "dates": "datum", "false_premise": "felaktig förutsättning", "repealed": "upphävd rätt", "invented": "påhittade bestämmelser",
    "personal_number": "personnummer", "person_decision": "beslut om en person", "injection_question": "styrförsök i frågan",
    "injection_document": "styrförsök i ett dokument", "foreign": "utländsk rätt", "nonsense": "obegripligt", "english": "på engelska",
    "follow_up": "följdfrågor", "report": "rapporten", "channels": "kanaler", "secrecy": "sekretess", "basics": "grunderna",
}


def topic(code: str) -> str:
    """A topic as it is shown; one without a name of its own stands as it is."""
    return TOPICS.get(code, code)


REVIEW_META = {"origin": "Ur", "topic": "Ämne", "reviewers": "Granskare", "versions": "Versioner"}
REVIEW_VERSION_NAMES = {"commit": "kod", "corpus": "index", "rules": "regler", "law_as_of": "lagtext per"}
REVIEW_REPORT = "Anmält som fel. {reason}"
REVIEW_NO_REASON = "Inget skäl skrevs."
REVIEW_CITATION = "Hänvisning [{number}]: stödjer citatet påståendet?"
REVIEW_CLAIM = "Påstående"
REVIEW_NO_CITATIONS = "Svaret har inga hänvisningar. Bedöm det i sin helhet."
REVIEW_WHOLE = "Svaret i sin helhet"
REVIEW_QUESTIONS = {
    "korrekt": "Är svaret korrekt?", "fullständig": "Är svaret fullständigt?", "rätt grund": "Är grunden rätt?",
    "rätt tröskel": "Är tröskeln rätt (får eller ska, uppenbart, övervägande skäl)?",
    "borde ha avstått": "Borde tjänsten ha avstått från att svara?",
}
REVIEW_SEVERITY = "Hur allvarligt är felet?"
REVIEW_SEVERITIES = {"inget": "inget fel", "litet": "litet", "allvarligt": "allvarligt: kan leda fel",
                     "mycket allvarligt": "mycket allvarligt: uppgift kan röjas eller en skyldighet missas"}
REVIEW_COMMENT = "Kommentar (krävs när något är fel)"
REVIEW_CORRECTED = "Rättat svar (frivilligt)"
REVIEW_LEFT = "Det gick inte: bedöm även {names}."
REVIEW_SAVE = "Spara bedömningen"
REVIEW_SAVED = "Bedömningen är sparad."
REVIEW_CHANGE_LATER = "Du har svarat. Du kan ändra tills {other} också har svarat."
REVIEW_WAITING = "Väntar på {names}. Bedömningarna visas när båda har svarat."
REVIEW_WHOLE_TEXT = "Visa hela textavsnittet"
REVIEW_MOVED = "Textavsnittet finns inte längre i denna lydelse bland källorna. Här visas citatet som det sparades."

REVIEW_BOTH = "Båda bedömningarna"
REVIEW_DIFFERS = "Skiljer sig i {count} av {total} frågor"
REVIEW_SAME = "Inga skillnader"
REVIEW_ALL_ROWS = "Visa alla frågor"
REVIEW_TABLE = ("Fråga", "Olika")
REVIEW_DIFFERENT = "olika"
REVIEW_COMMENT_OF = "{name} skriver: {comment}"
REVIEW_CORRECTED_OF = "{name} föreslår svaret: {corrected}"
REVIEW_SETTLE = "Fastställ"
REVIEW_SETTLE_AGAIN = "Ändra det som är fastställt"
REVIEW_SETTLE_WHY = ("Du är en av de två granskarna. Det du skriver blir ett förslag som gäller när {other} bekräftar det.",
                     "Du är tredje person. Det du skriver gäller direkt.")
REVIEW_SAID_BY = "{first}: {mine} · {second}: {yours}"
REVIEW_SETTLE_COMMENT = "Skäl"
REVIEW_EXPECTED = "Så ska ett rätt svar se ut"
REVIEW_STATUS = "Hur ska svaret sluta? (en eller flera)"
REVIEW_MUST_CITE = "Måste hänvisa till"
REVIEW_MAY_CITE = "Får också hänvisa till"
REVIEW_CITE_CHOOSE = "Välj, eller skriv ett lagrum som 10 kap. 15 a § OSL"
REVIEW_MUST_SAY = "Måste säga (ett uttryck per rad, | mellan sätt att säga samma sak)"
REVIEW_MUST_NOT_SAY = "Får inte säga (ett uttryck per rad)"
REVIEW_CHECKLIST = "Checklista som svaret ska leda till (tomt: inte bedömt)"
REVIEW_CHECKLIST_NONE = "Ingen checklista"
REVIEW_NOT_JUDGED = "inte bedömt"
REVIEW_SETTLE_SAVE = "Fastställ svaret"
REVIEW_PROPOSAL = "Förslag från {name}, väntar på bekräftelse"
REVIEW_SETTLED = "Fastställt av {names} {day}"
REVIEW_CONFIRM = "Bekräfta förslaget"
REVIEW_RESULT = {"severity": "Fel", "comment": "Skäl", "corrected": "Rättat svar", "status": "Ska sluta med",
                 "must_cite": "Måste hänvisa till", "may_cite": "Får hänvisa till", "must_say": "Måste säga",
                 "must_not_say": "Får inte säga", "handoff": "Checklista"}
REVIEW_MAKE_CASE = "Gör till testfall"
REVIEW_CASE_WHY = "Fallet läggs bland testfallen med namn och dag, och nästa körning prövar det."
REVIEW_CASE_MADE = "Testfall {id} är skrivet. Nästa körning prövar det."
REVIEW_HISTORY = "Historik ({count})"
REVIEW_ACTIONS = {"köad": "lade svaret i kön", "tilldelad": "delade ut det till {names}", "bedömd": "bedömde det",
                  "fastställd": "fastställde eller föreslog", "bekräftad": "bekräftade förslaget", "testfall": "gjorde testfallet {case}"}
REVIEW_ALL_SUPPORT = "alla hänvisningar stödjer"
REVIEW_TAKEN_IN = "inläst ur {file}"

REVIEW_FIGURES_EMPTY = "Här visas siffror när två jurister har granskat samma svar, eller när en körning finns under data/evals."
REVIEW_COUNTS = (("otilldelad", "Otilldelade"), ("väntar på svar", "Väntar"), ("oeniga", "Öppna oenigheter"), ("eniga", "Eniga"),
                 ("fastställd", "Fastställda"))
REVIEW_AGREEMENT = "Samstämmighet"
REVIEW_AGREEMENT_WHY = ("Räknas på de blinda bedömningarna. Kappa är 1 vid full enighet och 0 när enigheten inte är större än slumpen ger. "
                        "Den går inte att räkna när båda alltid valt samma sak.")
REVIEW_AGREEMENT_HEAD = ("Fråga", "Bedömningar", "Lika", "Cohens kappa")
REVIEW_ALL_QUESTIONS = {"hänvisningar": "Hänvisningar", "korrekt": "Korrekt", "fullständig": "Fullständigt", "rätt grund": "Rätt grund",
                        "rätt tröskel": "Rätt tröskel", "borde ha avstått": "Borde ha avstått", "allvar": "Felets allvar",
                        "samtliga": "Samtliga, rätt eller fel"}
REVIEW_UNDEFINED = "går inte att räkna"
REVIEW_PLOTS = {"topic": ("Korrekta svar per ämne", "Ämne"), "source": ("Stödjande hänvisningar per källa", "Källa"),
                "run": ("Korrekta svar per körning, enligt juristerna", "Körning")}
REVIEW_PLOT_WHY = "Av svar som granskarna är eniga om eller som är fastställda."
REVIEW_PLOT_HEAD = ("Rätt", "Av", "Andel")
REVIEW_PLOT_ALT = "{title}. Samma siffror står i tabellen under bilden."
REVIEW_RUNS = "Kvalitet över körningarna"
REVIEW_MEASURE = "Mått"
REVIEW_RUNS_HEAD = ("Körning", "Värde")
REVIEW_TABLE_OPEN = "Siffrorna som tabell"

REVIEW_PAPERS_WHY = ("Läs regeln eller noten mot lagen och signera. Ditt namn och dagens datum skrivs i filen. En fil som ändras ska "
                     "läsas och signeras på nytt.")
REVIEW_PAPERS_COUNT = "{signed} av {total} är signerade."
REVIEW_PAPER_KIND = "Slag"
REVIEW_PAPER_KINDS = {"regel": "Regler", "not": "Noter"}
REVIEW_PAPER = "Regel eller not"
REVIEW_PAPER_CHOOSE = "Skriv ett lagrum eller ett ord"
REVIEW_PAPER_ALL = "Visa även signerade"
REVIEW_PAPERS_DONE = "Alla är signerade."
REVIEW_SIGN = "Signera"
REVIEW_SIGNED = "{id} är signerad."
REVIEW_SIGNED_BY = "Signerad av {name} {day}"
REVIEW_SIGN_JURIST = "En jurist signerar."

REVIEW_EXPORT = "Hämta kön som fil"
REVIEW_EXPORT_WHY = ("Filen har varje händelse med namn, tid och versioner, och går att läsa in igen utan förlust. Den innehåller även "
                     "bedömningar som ännu är blinda: ge den inte till en granskare som inte har svarat.")
REVIEW_EXPORT_BUTTON = "Hämta {kind}"
REVIEW_EXPORT_EMPTY = "Det finns inget att hämta än."
REVIEW_IMPORT = "Läs in en fil"
REVIEW_IMPORT_WHY = "En fil som hämtats här: .xlsx, .csv eller .jsonl. Är någon rad fel läses inget in, och du får veta vilken och varför."
REVIEW_IMPORT_FIELD = "Fil att läsa in"
REVIEW_IMPORT_BUTTON = "Läs in"
REVIEW_IMPORT_FIRST = "Välj en fil först."
REVIEW_IMPORTED = "{added} nya händelser lästes in. {already} fanns redan."
REVIEW_IMPORT_WRONG = "Inget lästes in. Antal rader med fel: {count}."
REVIEW_IMPORT_ROW = "Rad {row}: {reason}."
REVIEW_LOG = "Logg över filer, signaturer och versioner"
REVIEW_LOG_EMPTY = "Inget har hänt än."

REVIEW_RELEASE_WHY = ("Ett godkännande skrivs som en fil med versioner, siffror, kända begränsningar, vem och när. Den visas under Om "
                      "tjänsten.")
REVIEW_RELEASE_DISPUTES = "{count} oenigheter är inte avgjorda. De skrivs in i godkännandet."
REVIEW_RELEASE_NO_RUN = "Det finns ingen körning. Godkännandet får inga mätvärden."
REVIEW_RELEASE_VERSION = "Version"
REVIEW_RELEASE_EXAMPLE = "till exempel 0.2.0"
REVIEW_RELEASE_LIMITS = "Kända begränsningar (en per rad)"
REVIEW_RELEASE_BUTTON = "Godkänn version"
REVIEW_RELEASED = "Version {version} är godkänd."
REVIEW_RELEASES = "Godkända versioner"
RELEASE = "Godkänd version"
RELEASE_NONE = "Ingen version är godkänd ännu. Tjänsten är på försök."
RELEASE_BY = "Version {version}, godkänd av {name} {day}."
RELEASE_PARTS = {"versions": "Versioner", "figures": "Mätvärden", "review": "Granskning", "limits": "Kända begränsningar"}
RELEASE_NO_FIGURES = "Inga mätvärden."
RELEASE_EARLIER = "Tidigare versioner ({count})"


def decimal(value: float, places: int = 2) -> str:
    """«0,83»: a number with a decimal comma."""
    return f"{value:.{places}f}".replace(".", ",")
