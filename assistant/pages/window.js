/* What markup alone can't do: Swedish for Streamlit's own words, opening sources, copying, telling a screen reader.
   No tag may be written out in here: Streamlit's sanitiser drops a script that holds one. */
(() => {
  document.documentElement.lang = "sv";
  document.querySelector(".st-key-ds-menu")?.setAttribute("role", "navigation");
  if (window.delningsstod) return;
  window.delningsstod = true;

  // --- Swedish for what Streamlit says in English

  const SWEDISH = {
    "Send message": "Skicka frågan", "Submit": "Skicka", "Stop": "Stoppa", "Main menu": "Meny", "Skip to main content": "Hoppa till innehållet",
    "Clear value": "Töm", "Clear all": "Töm alla", "Selected values": "Valda", "Clear": "Töm", "Open": "Öppna", "Close": "Stäng", "No results": "Inga träffar", "No options to select": "Inga val", "Choose an option": "Välj",
    "Loading...": "Läser in …", "Connection error": "Ingen kontakt med tjänsten", "Connecting": "Ansluter", "Running...": "Arbetar …",
    "Page not found": "Sidan finns inte", "Clear caches": "Töm mellanlager", "Calendar": "Kalender", "Choose date": "Välj datum", "Previous month": "Föregående månad", "Next month": "Nästa månad",
    "Open calendar": "Öppna kalendern", "Clear date": "Töm datum", "Selected date": "Valt datum", "Press enter": "Tryck retur",
    "Upload": "Välj fil", "Upload file": "Välj fil", "Browse files": "Välj fil", "Drag and drop file here": "Släpp filen här", "Select all": "Välj alla",
    "file upload": "Välj fil", "Add files": "Välj en annan fil", "add icon": "annan fil",
    "progress": "Hur långt du har kommit", "Previous": "Föregående", "Next": "Nästa", "Year": "År", "Month": "Månad",
  };
  const CHOICES = "Val";
  const STARTS = [
    ["Error: Date set outside allowed range", "Datumet ligger utanför det som går att välja."],
    ["Date set outside allowed range", "Datumet ligger utanför det som går att välja."],
    ["Is Streamlit still running", "Kontakten med tjänsten bröts. Ladda om sidan om en stund."],
    ["Selected Date:", "Valt datum"],
    ["You can only select up to", "Du kan inte välja fler. Ta bort ett val först."],
    ["Connection lost", "Kontakten med tjänsten bröts. Ladda om sidan om en stund."],
    ["Streamlit server is not responding", "Tjänsten svarar inte. Försök igen om en stund."],
    ["The page that you have requested", "Sidan finns inte. Du är på startsidan."],
  ];
  const UNITS = { year: "år", month: "månad", day: "dag" };
  const swedish = (text) => {
    const plain = text.trim();
    const unit = /^(year|month|day), (.*)$/.exec(plain);
    if (unit) return `${UNITS[unit[1]]}, ${unit[2]}`;
    const size = /^(\d+)MB per file(.*)$/.exec(plain);
    if (size) return `Högst ${size[1]} MB${size[2]}`;
    if (plain.startsWith("Add: ")) return `Lägg till: ${plain.slice(5)}`;
    if (plain.startsWith("Remove ")) return `Ta bort ${plain.slice(7)}`;
    if (plain.startsWith("Choose date, ")) return `Välj datum, ${plain.slice(13)}`;
    if (Object.hasOwn(SWEDISH, plain)) return SWEDISH[plain];
    return STARTS.find(([start]) => plain.startsWith(start))?.[1];
  };
  const ours = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(".stHtml, textarea, input");
  const put = (node) => {
    if (node.nodeType === 3) {
      const said = swedish(node.data);
      if (said && !ours(node)) node.data = said;
      return;
    }
    if (node.nodeType !== 1) return;
    for (const name of ["aria-label", "title", "placeholder"]) {
      const said = node.hasAttribute(name) && swedish(node.getAttribute(name));
      if (said) node.setAttribute(name, said);
    }
    if (!ours(node)) node.childNodes.forEach(put);
  };

  // --- the skip link and the live region stand outside what Streamlit draws

  const skip = Object.assign(document.createElement("a"), { className: "ds-skip", href: "#stMain", textContent: "Hoppa till innehållet" });
  const question = () => document.querySelector(".st-key-ds-ask textarea");
  const name = () => {
    const said = question() ? "Hoppa till frågan" : "Hoppa till innehållet";
    if (skip.textContent !== said) skip.textContent = said;
  };
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    const main = document.querySelector("h1");
    main?.setAttribute("tabindex", "-1");
    (question() || main)?.focus();
  });
  document.body.prepend(skip);
  const live = document.createElement("div");
  live.className = "ds-hidden";
  live.setAttribute("role", "status");
  live.setAttribute("aria-live", "polite");
  document.body.append(live);
  const say = (words) => live.replaceChildren(Object.assign(document.createElement("p"), { textContent: words }));  // a new node: the same words twice are said twice

  // --- roles that Streamlit leaves out or gets wrong

  const mend = () => {
    // a file field that is called presentation and yet has a name; the head of a calendar that calls itself the head of the whole page
    document.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]").forEach((field) => field.setAttribute("role", "group"));
    document.querySelectorAll("[role=dialog] header:not([role])").forEach((head) => head.setAttribute("role", "group"));
    for (const list of document.querySelectorAll("body > :not(#root) [role=listbox]")) {  // the choices of a field open outside every landmark
      const around = list.parentElement;
      if (around.hasAttribute("role")) continue;
      around.setAttribute("role", "region");
      around.setAttribute("aria-label", CHOICES);
    }
  };

  // --- a new answer: said once, brought into view

  const told = new Set();
  const tell = () => {
    const current = document.querySelector("[data-current]")?.dataset.current;
    document.querySelectorAll(".st-key-ds-menu a").forEach((link, at) => {
      if (String(at) !== current) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) link.setAttribute("aria-current", "page");
    });
    for (const answer of document.querySelectorAll("[data-answer]")) {
      if (told.has(answer.dataset.answer)) continue;
      told.add(answer.dataset.answer);
      if (answer.dataset.ready) say(answer.dataset.ready);
      setTimeout(() => {
        const heading = answer.querySelector(".ds-question");
        if (!heading?.isConnected || document.activeElement?.closest(".ds-answer, .ds-sources")) return;
        heading.scrollIntoView({ block: "start" });
        if (!document.activeElement || document.activeElement === document.body) heading.focus({ preventScroll: true });
      }, 120);
    }
  };

  const turned = new Set();  // a page of the checklist, a finding: its heading is brought into view and gets the focus, once
  const turn = () => {
    for (const heading of document.querySelectorAll("[data-step]")) {
      if (turned.has(heading.dataset.step) || !heading.offsetParent) continue;
      turned.add(heading.dataset.step);
      setTimeout(() => {
        if (document.querySelector("[role=alert]")) return;
        heading.focus({ preventScroll: true });
        heading.scrollIntoView({ block: "start" });
      }, 120);
    }
  };

  const alerts = new WeakSet();
  const bring = () => {
    for (const alert of document.querySelectorAll("[role=alert]")) {
      if (!alerts.has(alert)) alert.scrollIntoView({ block: "nearest" });
      alerts.add(alert);
    }
  };

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(put);
      else put(change.target);
    }
    name();
    mend();
    tell();
    turn();
    bring();
  }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["aria-label", "title", "placeholder"] });
  put(document.body);
  mend();

  // --- sources

  let from = null;
  const open = (button) => {
    const mark = document.getElementById(button.dataset.cite);
    const card = mark?.closest(".ds-card");
    const stop = mark?.closest(STOP);
    if (stop) go(stop);
    if (!card) return;
    from = button;
    card.parentElement.querySelectorAll(".ds-card[open]").forEach((other) => { if (other !== card) other.open = false; });
    card.open = true;
    document.querySelectorAll("mark.ds-now").forEach((other) => other.classList.remove("ds-now"));
    mark.classList.add("ds-now");
    card.scrollIntoView({ block: "nearest" });
    card.querySelector("summary").focus({ preventScroll: true });
    const text = mark.closest(".ds-text");
    const line = mark.offsetTop;
    text.scrollTop = line + mark.offsetHeight > text.clientHeight ? line - 6 : 0;
    const top = card.getBoundingClientRect().top;
    if (top > innerHeight * 0.6 || top < 0) card.scrollIntoView({ block: "start" });
    if (mark.getBoundingClientRect().top > innerHeight - 80) {  // a small window: the quote rather than its heading, and the focus with it
      mark.tabIndex = -1;
      mark.focus({ preventScroll: true });
      mark.scrollIntoView({ block: "center" });
    }
  };
  const back = (event) => {
    if (!from?.isConnected) return;
    event.preventDefault();
    from.scrollIntoView({ block: "center" });
    from.focus({ preventScroll: true });
  };

  // --- the review: j and k go from question to question, a number chooses in the one that has the focus

  const STOP = "[class*='st-key-ds-judge-']";
  const go = (stop) => {
    const choice = stop.querySelector("input[type=radio]:checked") || stop.querySelector("input[type=radio]");
    (choice || stop.querySelector("a, summary"))?.focus({ preventScroll: true });
    stop.scrollIntoView({ block: stop.offsetHeight < innerHeight * 0.6 ? "center" : "start" });
  };
  const writing = (at) => at?.closest?.("textarea, select, [contenteditable=true], [role=combobox], input:not([type=radio]):not([type=checkbox])");
  const choose = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || writing(event.target)) return;
    if (!document.querySelector("[data-keys=on]")) return;
    const stops = [...document.querySelectorAll(STOP)].filter((one) => one.querySelector("input[type=radio]"));
    const at = stops.findIndex((one) => one.contains(document.activeElement));
    if (event.key === "j" || event.key === "k") {
      const next = stops[at < 0 ? 0 : at + (event.key === "j" ? 1 : -1)];
      if (next) go(next);
    } else if (/^[1-9]$/.test(event.key) && at >= 0) {
      const choice = stops[at].querySelectorAll("input[type=radio]")[Number(event.key) - 1];
      choice?.click();
      choice?.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  };

  // --- copying: the clipboard where the page is served securely, the old way where it is not

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text, className: "ds-hidden" });
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };
  const copy = async (button) => {
    const label = button.dataset.label ||= button.textContent;
    const done = await copied(button.dataset.copy);
    button.focus();
    button.textContent = done ? button.dataset.copied : button.dataset.failed;
    say(button.textContent);
    setTimeout(() => { button.textContent = label; }, 2500);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-cite], [data-copy], [data-back]");
    if (!button) return;
    if (button.dataset.cite) open(button);
    else if (button.dataset.copy) copy(button);
    else back(event);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement?.closest(".ds-sources")) back(event);
    choose(event);
  });
  tell();
})();
