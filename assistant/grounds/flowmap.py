"""A checklist drawn as SVG: the main line straight down, side questions to the right, every answer with where it leads.

The layout is our own and needs no library: a row per step, the column moved right until no line runs through a box.
"""

import textwrap
from dataclasses import dataclass
from html import escape

from assistant.grounds.checklist import OUTCOMES, Checklist, Choice, Step

WIDTH, GAP, ROW_GAP, MARGIN, PAD = 470, 46, 44, 32, 16
LINE, SMALL = 19, 17
CHIP = 132
CHIPS = {  # short name, fill, ink: each pair above 7:1 in contrast
    "kan_lamnas": ("Kan lämnas", "#d5efdd", "#0b4422"),
    "ska_lamnas": ("Ska lämnas", "#d5efdd", "#0b4422"),
    "lamnas_inte": ("Lämnas inte", "#f8dcd7", "#6b1a10"),
    "behover_mer": ("Behöver mer", "#fbeac4", "#553c00"),
    "jurist": ("Till jurist", "#dde3f8", "#1f2c6d"),
}
STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:#172b3f}"
    ".q{font-size:15px;font-weight:600}.a{font-size:13px}.s{font-size:12px;fill:#4a5763}.t{font-size:22px;font-weight:700}"
    ".c{font-size:12px;font-weight:600}.box{fill:#fff;stroke:#8494a3}.side{fill:#f5f7f9;stroke:#8494a3;stroke-dasharray:5 3}"
    ".edge{fill:none;stroke:#4a5763;stroke-width:1.6}"
)

ROLE = 'role="img" aria-labelledby="titel beskrivning" lang="sv"'
ARROW = (
    '<defs><marker id="pil" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L10 5L0 10z" fill="#4a5763"/></marker></defs>'
)


@dataclass(frozen=True)
class Box:
    """A step with its place on the drawing."""

    number: int
    step: Step
    column: int
    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + WIDTH / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


def svg(checklist: Checklist) -> str:
    """The whole flow as one self-contained picture."""
    head = heading(checklist)
    top = MARGIN + 34 + LINE * len(head) + 18
    boxes = place(checklist, top)
    numbers = {box.step.id: box.number for box in boxes}
    width = max(box.x for box in boxes) + WIDTH + MARGIN
    height = max(box.bottom for box in boxes) + MARGIN
    title = f"Flödet för {checklist.provision}"
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" {ROLE}>',
        f'<title id="titel">{escape(title)}</title>',
        f'<desc id="beskrivning">{escape(described(checklist, numbers))}</desc>',
        f"<style>{STYLE}</style>",
        ARROW,
        '<rect width="100%" height="100%" fill="#fff"/>',
        text(MARGIN, MARGIN + 18, title, "t"),
        *(text(MARGIN, MARGIN + 48 + LINE * at, line, "a") for at, line in enumerate(head)),
        *(edge for box in boxes for edge in edges(checklist, box, boxes)),
        *(drawn for box in boxes for drawn in drawing(box, numbers)),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def heading(checklist: Checklist) -> list[str]:
    words = [f"{one.formula}. {one.points} {one.strength}" for one in checklist.directions]
    lines = [line for sentence in words for line in textwrap.wrap(sentence, 62)]
    return [*lines, f"Checklista {checklist.id}, {checklist.on}, version {checklist.version}. Streckad ram: sidofråga."]


def described(checklist: Checklist, numbers: dict[str, int]) -> str:
    """The same flow in words, for those who can't see it."""
    steps = (f"{numbers[step.id]}. {step.question} " + "; ".join(spoken(a, numbers) for a in step.answers) for step in checklist.steps)
    return " ".join(f"{one}." for one in steps)


def spoken(answer: Choice, numbers: dict[str, int]) -> str:
    return f"{answer.text}: {CHIPS[answer.to][0] if answer.to in OUTCOMES else f'till {numbers[answer.to]}'}"


# --- places -----------------------------------------------------------------------------------------------------------


def place(checklist: Checklist, top: float) -> list[Box]:
    """A row per step in order. The main line keeps the first column."""
    boxes: list[Box] = []
    y, trunk = top, checklist.steps[0]
    for number, step in enumerate(checklist.steps, 1):
        on_trunk = number == 1 or not step.detour and step in checklist.following(trunk)
        column = 0 if on_trunk else free_column(checklist, step, boxes)
        trunk = step if on_trunk else trunk
        box = Box(number, step, column, MARGIN + column * (WIDTH + GAP), y, height_of(step))
        boxes.append(box)
        y = box.bottom + ROW_GAP
    return boxes


def free_column(checklist: Checklist, step: Step, boxes: list[Box]) -> int:
    """Right of all that lead here, and where no box stands in between."""
    sources = [box for box in boxes if step in checklist.following(box.step)]
    between = {box.column for box in boxes if box.number > min(source.number for source in sources)}
    column = max(source.column for source in sources) + 1
    while column in between:
        column += 1
    return column


def height_of(step: Step) -> float:
    answers = sum(len(answer_lines(answer)) * SMALL + 7 for answer in step.answers)
    return PAD + 16 + len(question_lines(step)) * LINE + 8 + answers + PAD - 6


def question_lines(step: Step) -> list[str]:
    return textwrap.wrap(step.question, 46)


def answer_lines(answer: Choice) -> list[str]:
    return textwrap.wrap(answer.text, 40)


# --- drawing ----------------------------------------------------------------------------------------------------------


def text(x: float, y: float, content: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def drawing(box: Box, numbers: dict[str, int]) -> list[str]:
    """The box: number and part, the question, each answer with its chip or the number it goes on to."""
    kind = "side" if box.column else "box"
    parts = [f'<rect x="{box.x:g}" y="{box.y:g}" width="{WIDTH}" height="{box.height:g}" rx="7" class="{kind}"/>']
    y = box.y + PAD + 8
    parts.append(text(box.x + PAD, y, f"{box.number} · {box.step.part}", "s"))
    for line in question_lines(box.step):
        y += LINE
        parts.append(text(box.x + PAD, y, line, "q"))
    y += 8
    for answer in box.step.answers:
        first = y + SMALL
        parts += goes(box.x + WIDTH - PAD, first, answer, numbers)
        for line in answer_lines(answer):
            y += SMALL
            parts.append(text(box.x + PAD, y, line, "a"))
        y += 7
    return parts


def goes(right: float, y: float, answer: Choice, numbers: dict[str, int]) -> list[str]:
    if answer.to not in OUTCOMES:
        return [text(right, y, f"{'ta reda på → ' if answer.fetch else '→ '}{numbers[answer.to]}", "c", "end")]
    name, fill, ink = CHIPS[answer.to]
    chip = f'<rect x="{right - CHIP + 16:g}" y="{y - 13:g}" width="{CHIP - 16}" height="19" rx="9.5" fill="{fill}"/>'
    label = f'<text x="{right - (CHIP - 16) / 2:g}" y="{y + 1:g}" class="c" text-anchor="middle" style="fill:{ink}">{escape(name)}</text>'
    return [chip, label]


def edges(checklist: Checklist, box: Box, boxes: list[Box]) -> list[str]:
    """Lines to the steps that follow: down, right and down, or down and left to the main line."""
    by_id = {one.step.id: one for one in boxes}
    return [f'<path d="{line(box, by_id[step.id])}" class="edge" marker-end="url(#pil)"/>' for step in checklist.following(box.step)]


def line(start: Box, end: Box) -> str:
    if end.column > start.column:
        return f"M{start.x + WIDTH:g} {start.y + 28:g}H{end.middle:g}V{end.y:g}"
    if end.column == start.column:
        return f"M{start.middle:g} {start.bottom:g}V{end.y:g}"
    return f"M{start.middle:g} {start.bottom:g}V{end.y - ROW_GAP / 2:g}H{end.middle:g}V{end.y:g}"
