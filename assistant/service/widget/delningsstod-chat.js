/* <delningsstod-chat>: the chat, its citations and the checklist, on any page of the intranet. How to embed it: docs/inbaddning.md.
   Everything shown is made with DOM methods, so that no word of a question, a source or a document can become markup.
   The words and the style are put in by assistant/service/widget.py. */
(() => {
  "use strict";
  const T = __TEXTS__;
  const STYLE = new CSSStyleSheet();
  STYLE.replaceSync(__STYLE__);
  const SCRIPT = document.currentScript?.src;
  const QUIET_S = 30;  // a stream that says nothing for so long is given up, and the answer asked for instead
  const POLLS = 90;

  // --- small pieces

  const el = (name, attributes, ...inside) => {
    const [tag, ...classes] = name.split(".");
    const node = document.createElement(tag);
    if (classes.length) node.className = classes.join(" ");
    for (const [key, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") node.addEventListener(key, value);
      else if (value != null && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...inside.flat(9).filter((one) => one || one === 0));
    return node;
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const button = (text, click, kind = "", more = {}) => el(`button${kind}`, { type: "button", click, ...more }, text);
  const paragraphs = (text) => String(text || "").split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean).map((part) => {
    const lines = part.split("\n");
    return lines.every((line) => line.startsWith("- ")) ? list(lines.map((line) => line.slice(2))) : el("p", {}, part);
  });
  const list = (items) => el("ul", {}, items.map((one) => el("li", {}, one)));
  const titled = (heading, items) => items?.length ? [el("h4", {}, heading), list(items)] : [];
  const alert = (text) => el("div.callout.grave", { role: "alert" }, text);
  const badge = (text, tone = "") => el(`span.badge${tone && "."}${tone}`, {}, text);
  const day = (iso) => new Intl.DateTimeFormat("sv", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(iso));
  const today = () => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && new Date(text).toJSON()?.startsWith(text);
  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const flowing = (text) => text.replace(/(?<!\n)\n(?![ \t]*\n|[-•–] |$)/g, " ").replace(/[ \t]*\n\s*\n(?=\d+\. |[-•–] )/g, "\n");
  const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  // --- the service: the token is asked for before every request, and goes in one header to one address

  class Trouble extends Error {  // its message is for the person
    constructor(message, status = 0) { super(message); this.status = status; }
  }
  const wait = (response, otherwise) => {
    const said = Number(response.headers.get("Retry-After") || response.headers.get("RateLimit-Reset"));
    return said > 0 ? said : otherwise;
  };
  const problem = async (response) => {
    const said = await response.json().catch(() => ({}));
    const { status } = response;
    if (status === 401) return new Trouble(T.signed_out, status);
    if (status === 429) return new Trouble(fill(T.too_many, { seconds: Math.ceil(wait(response, 60)) }), status);
    if (status >= 500) return new Trouble(T.broken, status);
    if (said.kind) return new Trouble(fill(said.field === "text" ? T.person_question : T.person_text, said), status);
    return new Trouble(said.detail || T.refused, status);
  };

  class Service {
    constructor(element) {
      this.element = element;
      this.base = new URL(element.getAttribute("base-url") || (SCRIPT ? new URL("..", SCRIPT) : "/"), location.href);
      if (!this.base.pathname.endsWith("/")) this.base.pathname += "/";
    }

    async call(path, { method = "GET", body, accept = "application/json", signal } = {}) {
      const headers = { Accept: accept };
      try {
        const token = await this.element.tokenProvider?.();
        if (token) headers.Authorization = `Bearer ${token}`;
      } catch {
        throw new Trouble(T.no_token);
      }
      if (body) headers["Content-Type"] = "application/json";
      if (method === "POST") headers["Idempotency-Key"] = key();
      let response;
      try {
        response = await fetch(new URL(`api/v1/${path}`, this.base), {
          method, headers, signal, body: body && JSON.stringify(body), credentials: "same-origin", cache: "no-store",
          referrerPolicy: "no-referrer", redirect: "manual" });
      } catch {
        throw new Trouble(T.unreachable);
      }
      if (response.type === "opaqueredirect") throw new Trouble(T.signed_out, 401);  // a proxy that wants a new sign-on
      if (!response.ok) throw await problem(response);
      return response;
    }

    async json(path, options) { return (await this.call(path, options)).json(); }

    // The answer: from the stream, which tells of the sources first, or asked for again and again where streams don't get through.
    async answer(id, show) {
      const stop = new AbortController();
      let timer;
      const alive = () => { clearTimeout(timer); timer = setTimeout(() => stop.abort(), QUIET_S * 1000); };
      try {
        alive();
        const response = await this.call(`answers/${id}/stream`, { accept: "text/event-stream", signal: stop.signal });
        for await (const { name, data } of events(response, alive)) {
          if (name === "answer") return data;
          show(name, data);
        }
      } catch (error) {
        if ([401, 403, 404, 429].includes(error.status)) throw error;
      } finally {
        clearTimeout(timer);
        stop.abort();
      }
      return this.polled(id);
    }

    async polled(id) {
      let missed = 0;
      for (let left = POLLS; left; left--) {
        try {
          const response = await this.call(`answers/${id}`);
          if (response.status !== 202) return response.json();
          await pause(Math.min(wait(response, 1), 10));
        } catch (error) {
          if (error.status || ++missed > 3) throw error;
          await pause(missed);
        }
      }
      throw new Trouble(T.slow);
    }
  }

  async function* events(response, alive) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let held = "";;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const parts = (held + value).split(/\r?\n\r?\n/);
      held = parts.pop();
      for (const part of parts) {
        const event = { event: "message", data: [] };
        for (const line of part.split(/\r?\n/)) {
          const [, field, said] = /^(event|data): ?(.*)$/.exec(line) || [];
          if (field === "data") event.data.push(said);
          else if (field) event.event = said;
        }
        if (event.data.length) yield { name: event.event, data: JSON.parse(event.data.join("\n")) };
      }
    }
  }

  // --- citations and sources

  const rank = (kind) => badge(T.kinds[kind] || kind, { lag: "law", förordning: "law", not: "note", pressmeddelande: "warn" }[kind]);
  const validity = ({ status, valid_from: from, valid_to: to }, on) => {
    const out = { förslag: [badge(T.proposal, "warn")], äldre: [badge(T.older, "warn")] }[status] || [];
    if (from > on) return [...out, badge(fill(T.coming, { day: day(from) }), "warn")];
    if (to && to <= on) return [...out, badge(fill(T.ended, { day: day(to) }), "warn")];
    return [...out, from && badge(fill(T.valid_from, { day: day(from) }), "ok"), to && badge(fill(T.ends, { day: day(to) }), "warn")];
  };
  const reference = (one) => [
    one.label, one.title && !one.label.includes(one.title) && one.title, ["lag", "förordning"].includes(one.kind) && one.version && fill(T.wording, one),
    one.valid_from && fill(T.valid_from, { day: day(one.valid_from) }).toLowerCase(), one.page && !one.label.includes(`s. ${one.page}`) && `s. ${one.page}`,
    official(one.url)].filter(Boolean).join(", ");
  const official = (url) => {
    try { return new URL(url).protocol === "https:" ? url : ""; } catch { return ""; }
  };
  const link = (url, text) => official(url) && el("a", { href: url, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer" }, text);

  const copied = async (text, root) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {  // not a secure page, or a frame that may not: the old way
      const area = el("textarea.hush", {});
      area.value = text;
      root.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  // --- one answer

  class Shown {
    constructor(chat, answer, question) { Object.assign(this, { chat, answer, question }); }

    node() {
      const { answer } = this;
      const sections = T.roles.map(([role, heading, kind]) => this.section(role, heading, kind));
      const grave = /^(error|withheld|refused)_/.test(answer.status);
      const text = answer.status === "clarification_needed" ? T.clarify : answer.text_md;
      const said = sections.some(Boolean) ? [sections[0], this.callouts(), sections.slice(1)]
        : [grave ? el("div.callout.grave", {}, paragraphs(text)) : el("div", {}, paragraphs(text)), this.callouts()];
      return el(`div.answer${answer.citations.length ? ".cited" : ""}`, {}, el("p.meta", {}, this.meta()), said, this.sources(), this.next());
    }

    meta() {
      const { status, as_of_date: on, law_as_of: law } = this.answer;
      return [badge(T.status[status] || status, status === "answered" ? "ok" : "warn"), el("span", {}, `${T.as_of} ${day(on)}`),
        law && el("span", {}, fill(T.law_as_of, { day: day(law) }))];
    }

    callouts() {
      const { claims, warnings, text_md: text, handoff } = this.answer;
      const held = claims.length ? claims.map((claim) => claim.text) : text;
      const told = [handoff && T.handoff_ahead, ...warnings.map((one) => one.text).filter((one) => !held.includes(one))];
      return [...new Set(told)].filter(Boolean).map((one) => el("div.callout", {}, one));
    }

    section(role, heading, kind) {
      const claims = this.answer.claims.filter((claim) => claim.role === role);
      if (!claims.length) return null;
      const quotes = (claim) => this.of(claim).filter(([, one]) => one.kind !== "not").map(([number, one]) => this.quote(number, one));
      const inside = role === "tänk_på" ? el("ul", {}, claims.map((claim) => el("li", {}, this.claim(claim))))
        : claims.map((claim) => [el("p", {}, this.claim(claim)), role === "svar" && quotes(claim)]);
      return el(`section.part.${kind}`, {}, el("h4", {}, heading), inside);
    }

    of(claim) { return this.answer.citations.map((one, at) => [at + 1, one]).filter(([, one]) => claim.citation_ids.includes(one.id)); }

    claim(claim) {
      const wrong = this.answer.warnings.some((one) => one.code === "false_premise" && one.text === claim.text);
      return [wrong && el("strong", {}, `${T.correction} `), `${claim.text} `, this.of(claim).map(([number, one]) => [this.cite(number, one), " "])];
    }

    quote(number, one) {
      return el("figure", {}, el("blockquote", {}, flowing(one.quote)), el("figcaption", {}, `${one.label} `, this.cite(number, one)));
    }

    cite(number, one) {
      const says = fill(T.show_source, { number, label: one.label });
      return button(`[${number}]`, (event) => this.open(number, event.currentTarget), one.kind === "not" ? ".cite.own" : ".cite",
        { "aria-label": says, title: one.label });
    }

    sources() {
      if (!this.answer.citations.length) return null;
      const cards = new Map();
      this.answer.citations.forEach((one, at) => cards.set(one.passage_id, [...(cards.get(one.passage_id) || []), [at + 1, one]]));
      return el("section.sources", {}, el("h4", {}, fill(T.sources, { count: cards.size })), [...cards.values()].map((quotes) => this.card(quotes)));
    }

    card(quotes) {
      const [[, one]] = quotes;
      const where = [one.title, one.version && one.kind !== "not" && fill(T.wording, one), one.page && fill(T.page, one)];
      const card = el("details.card", { "data-numbers": quotes.map(([number]) => number).join(" ") },
        el("summary", {}, el("span.number", {}, quotes.map(([number]) => number).join(", ")), el("span.label", {}, one.label),
          el("span.badges", {}, rank(one.kind), validity(one, this.answer.as_of_date))),
        el("div.inside", {}, el("p.soft", {}, one.kind === "not" ? T.own_note : where.filter(Boolean).join(" · ")),
          quotes.map(([number, { quote, label }]) => el("figure", { "data-number": number }, el("blockquote", {}, flowing(quote)),
            quotes.length > 1 && el("figcaption", {}, `[${number}] ${label}`))),
          el("p", {}, link(one.url, T.official) || el("span.soft", {}, one.url || T.no_link)),
          el("p.row", {}, this.chat.copier(T.copy_reference, () => reference(one)), button(T.back, () => this.chat.back(card)))));
      return card;
    }

    open(number, from) {
      const answer = from.closest(".answer");
      const card = [...answer.querySelectorAll(".card")].find((one) => one.dataset.numbers.split(" ").includes(String(number)));
      answer.querySelectorAll(".card").forEach((one) => { one.open = one === card; });
      card.querySelectorAll("figure").forEach((one) => one.classList.toggle("now", one.dataset.number === String(number)));
      this.chat.from.set(card, from);
      card.querySelector("summary").focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
      card.querySelector(".now").scrollIntoView({ block: "nearest" });
    }

    next() {
      const { answer } = this;
      const said = answer.next_steps.filter((one) => ["contact_lawyer", "rephrase"].includes(one.type) && !answer.text_md.includes(one.text));
      const steps = [said.map((one) => paragraphs(one.text)), answer.handoff && this.handoff(), answer.missing.length > 0 && this.missing()];
      const heading = (said.length || answer.handoff) && el("h4", {}, T.next);
      return el("div.next", {}, answer.claims.length > 0 && el("p.row", {}, this.chat.copier(T.copy_answer, () => this.text())), heading, steps,
        answer.claims.length > 0 && this.feedback());
    }

    handoff() {
      const { handoff } = this.answer;
      const walk = new Walk(this.chat, handoff);
      return el("section.box", {}, el("h4", {}, handoff.provisions.join(", ")), el("p", {}, T.handoff),
        handoff.tests.map((one) => T.tests[one] && el("p", {}, fill(T.test, { test: T.tests[one] }))), el("p", {}, T.prefilled),
        el("p.row", {}, button(T.to_checklist, (event) => walk.open(event.currentTarget), ".main"), this.chat.outside(handoff.checklist)));
    }

    missing() {
      const told = {};
      const ask = (name) => {
        const field = el("input", { "aria-label": `${T.fields[name]} – ${T.write_own}`, placeholder: T.write_own, maxlength: 200, autocomplete: "off",
          input: () => { told[name] = field.value.trim(); press(field.value.trim()); } });
        const press = (value) => usual.forEach((one) => one.setAttribute("aria-pressed", one.textContent === value));
        const usual = (T.usual[name] || []).map((value) => button(value, (event) => {
          const on = event.currentTarget.getAttribute("aria-pressed") === "true";
          field.value = "";
          told[name] = on ? "" : value;
          press(told[name]);
        }, "", { "aria-pressed": "false" }));
        return el("fieldset", {}, el("legend", {}, `${T.fields[name]} – ${T.asks[name]}`), el("div.row", {}, usual), field);
      };
      const problems = el("div.trouble", {});
      return el("form.box.missing", { submit: (event) => {
        event.preventDefault();
        const given = Object.entries(told).filter(([, value]) => value);
        if (given.length) this.chat.ask(completed(this.question, Object.fromEntries(given)));
        else problems.replaceChildren(alert(T.fill_one));
      } }, this.answer.status !== "clarification_needed" && [el("h4", {}, T.complete), el("p", {}, T.complete_why)],
      this.answer.missing.filter((name) => T.asks[name]).map(ask), problems, el("p.row", {}, el("button.main", { type: "submit" }, T.search_again)));
    }

    feedback() {
      const place = el("div.row.feedback", {});
      const send = async (verdict, reason = "") => {
        try {
          await this.chat.service.json("feedback", { method: "POST", body: { answer_id: this.answer.answer_id, verdict, reason } });
          place.replaceChildren(el("p.soft", { tabindex: -1 }, T.thanks));
          place.firstChild.focus();
          this.chat.say(T.thanks);
        } catch (error) {
          problems.replaceChildren(alert(error.message));
        }
      };
      const problems = el("div.trouble", {});
      const why = el("textarea", { "aria-label": T.what_wrong, rows: 2 });
      const form = el("form", { hidden: true, submit: (event) => { event.preventDefault(); send("wrong", why.value.trim()); } },
        el("p.lead", { "aria-hidden": "true" }, T.what_wrong), why, el("p.soft", {}, T.wrong_is_kept),
        el("p.row", {}, el("button", { type: "submit" }, T.send)));
      place.append(button(T.helped, () => send("helped")), button(T.wrong, () => { form.hidden = false; why.focus(); }), form, problems);
      return place;
    }

    text() {
      const { answer } = this;
      const parts = T.roles.flatMap(([role, heading]) => {
        const claims = answer.claims.filter((claim) => claim.role === role);
        return claims.length ? [heading, ...claims.map((claim) => `${claim.text} ${this.of(claim).map(([number]) => `[${number}]`).join(" ")}`), ""] : [];
      });
      const cited = answer.citations.map((one, at) => `[${at + 1}] ${T.kinds[one.kind] || one.kind}: ${reference(one)}\n    ”${flowing(one.quote)}”`);
      return [this.question, "", ...parts, ...cited, "", `${T.as_of} ${day(answer.as_of_date)}.`, T.always].join("\n").trim();
    }
  }

  const completed = (question, told) => {
    const way = [["sender", "från"], ["recipient", "till"]].filter(([name]) => told[name]).map(([name, word]) => `${word} ${told[name]}`).join(" ");
    const rest = Object.entries(told).filter(([name]) => !["sender", "recipient"].includes(name)).map(([name, value]) => `${T.fields[name]}: ${value}.`);
    return [question, way && fill(T.given, { way }), ...rest].filter(Boolean).join(" ");
  };

  // --- the checklist, walked inside the widget: one question a page, the person decides

  class Walk {
    constructor(chat, handoff) {
      Object.assign(this, { chat, handoff, state: null, seen: new Map() });
      this.place = el("div.walk", { tabindex: 0, role: "group", "aria-label": T.checklist });
    }

    open(from) {
      this.chat.show(this.place, from);
      if (!this.place.hasChildNodes()) this.begin();
      else this.focus();
    }

    begin() {
      const told = Object.entries(T.confirm_fields).filter(([name]) => this.handoff.prefill[name]);
      if (!told.length) {
        this.page("", this.handoff.provisions.join(", "));
        return this.start({});
      }
      const boxes = told.map(([name, label]) => {
        const value = String(this.handoff.prefill[name]);
        return [name, el("input", { type: "checkbox" }), `${label}: ${T.purposes[value] || T.modes[value] || value}`];
      });
      const unsaid = this.handoff.missing.map((name) => (T.fields[name] || name).toLowerCase()).join(", ");
      return this.page("", T.confirm, el("form", { submit: (event) => {
        event.preventDefault();
        this.start(Object.fromEntries(boxes.filter(([, box]) => box.checked).map(([name]) => [name, this.handoff.prefill[name]])));
      } }, el("p", {}, T.confirm_why), boxes.map(([, box, text]) => el("label.choice", {}, box, el("span", {}, text))),
      unsaid && el("p.soft", {}, fill(T.unsaid, { fields: unsaid })), el("p.row", {}, el("button.main", { type: "submit" }, T.confirmed))));
    }

    start(confirmed) {
      const on = this.handoff.prefill.date || today();
      const body = { checklist: this.handoff.checklist, as_of: on, case: { ...confirmed, date: on } };
      return this.move(() => this.chat.service.json("assessments", { method: "POST", body }));
    }

    async move(request) {
      if (this.place.hasAttribute("aria-busy")) return;
      this.place.setAttribute("aria-busy", "true");
      try {
        this.state = await request();
        this.draw();
      } catch (error) {
        if (error.status === 409 && this.state) await this.reread();
        this.problem(error.message);
      }
      this.place.removeAttribute("aria-busy");
    }

    // The same assessment was answered in another tab: show where it stands.
    async reread() {
      this.state = await this.chat.service.json(`assessments/${this.state.id}`).catch(() => this.state);
      this.draw();
    }

    problem(text) {
      const place = this.place.querySelector(".trouble") || this.place.appendChild(el("div.trouble", {}));
      place.replaceChildren(alert(text));
      place.scrollIntoView({ block: "nearest" });
    }

    page(lead, heading, ...inside) {
      const title = el("h3", { tabindex: -1 }, lead && el("span.lead", {}, lead), " ", heading);
      this.place.replaceChildren(el("p", {}, button(T.to_talk, () => this.chat.show(null), ".plain")), title, ...inside.flat(9).filter(Boolean));
      this.place.scrollTop = 0;
      this.focus();
    }

    focus() { this.place.querySelector("h3").focus({ preventScroll: true }); }

    draw() {
      if (this.state.next) this.seen.set(this.state.next.id, this.state.next);
      if (this.state.next) this.question(this.state.next, this.state.path.length);
      else this.result();
    }

    // ``at``: the place of the question on the path; one that was answered shows its answer.
    question(step, at) {
      const { path, progress, problem } = this.state;
      const given = path[at];
      const reason = el("textarea", { rows: 3, placeholder: step.write || T.reason_help });
      reason.value = given?.reason || "";
      const choice = (one) => el("label.choice", {},
        el("input", { type: "radio", name: "answer", value: one.value, checked: one.value === given?.value }), el("span", {}, one.text));
      const must = step.reason ? T.reason : step.answers.some((one) => one.reason) ? T.reason_some : T.reason_free;
      const soFar = () => el("details.card.gap", {}, el("summary", {}, el("span.label", {}, fill(T.so_far, { count: path.length }))),
        el("div.inside", {}, this.given()));
      const form = el("form", { novalidate: true, submit: (event) => {
        event.preventDefault();
        const value = new FormData(form).get("answer");
        if (value) this.answer(step.id, value, reason.value.trim());
        else this.problem(T.choose_one);
      } }, el("fieldset", {}, el("legend.hush", {}, step.question), step.answers.map(choice)),
      el("label.field", {}, el("span", {}, must), reason), el("div.trouble", {}),
      el("p.row", {}, el("button.main", { type: "submit" }, T.next_step), at > 0 && button(T.previous, () => this.change(at - 1))));
      this.page(`${step.part} · ${fill(T.progress, { number: at + 1, total: progress.total })}`, step.question,
        problem && !given && el("div.callout", {}, problem), paragraphs(step.help), step.example && el("p.soft", {}, fill(T.example, step)),
        step.direction && el("div.short.gap", {}, el("p", {}, el("strong", {}, `${T.direction}. `), `${step.direction} ${step.strength}`)),
        step.points.length > 0 && [step.points_label && el("p.lead", {}, step.points_label), list(step.points)], this.law(step.law),
        this.proposal(step.proposal, form, reason), form, path.length > 0 && soFar(), this.leave());
    }

    law(beside) {
      return (beside || []).map((one) => el("details.card.gap", {}, el("summary", {}, el("span.label", {}, `${T.law_text}: ${one.label}`)),
        el("div.inside", {}, el("blockquote", {}, flowing(one.text)), el("p", {}, link(one.url, T.official)))));
    }

    proposal(made, form, reason) {
      if (!made) return null;
      const text = [...form.querySelectorAll("input")].find((one) => one.value === made.value)?.parentNode.textContent;
      return el("div.box", {}, el("p.lead", {}, T.proposed), el("p", {}, [text && `${text}. `, made.reason]), button(T.use_proposal, () => {
        form.querySelectorAll("input").forEach((one) => { one.checked ||= one.value === made.value; });
        reason.value ||= made.reason;
        (form.querySelector("input:checked") || reason).focus();
      }));
    }

    given() {
      return el("ol", {}, this.state.path.map((one, at) => el("li", {}, el("p.soft", {}, one.question), el("p", {}, el("strong", {}, one.text)),
        one.reason && el("p", {}, one.reason), button(fill(T.change, { number: at + 1 }), () => this.change(at), ".plain"))));
    }

    change(at) { this.question(this.seen.get(this.state.path[at].step), at); }

    answer(step, value, reason) {
      const { id, revision } = this.state;
      return this.move(() => this.chat.service.json(`assessments/${id}/answers/${step}`, { method: "PUT", body: { value, reason, revision } }));
    }

    result() {
      const { outcome } = this.state;
      this.page(T.result, outcome.title, el("div.short", {}, el("p", {}, outcome.says), el("p", {}, el("strong", {}, T.decided_by_you))),
        titled(T.because, outcome.because), titled(T.fetch, outcome.fetch), titled(T.todo, outcome.do), el("h4", {}, T.protocol), el("p", {}, T.protocol_why),
        el("p.row", {}, ["docx", "json"].map((format) => button(T[`as_${format}`], () => this.download(format)))), el("div.trouble", {}),
        el("h4", {}, T.summary), this.given(), this.leave());
    }

    leave() {
      return el("div.leave", {}, el("p.soft", {}, T.kept), button(T.leave, async () => {
        try {
          await this.chat.service.call(`assessments/${this.state.id}`, { method: "DELETE" });
          this.place.replaceChildren();
          this.seen.clear();
          this.chat.show(null);
          this.chat.say(T.left);
        } catch (error) {
          this.problem(error.message);
        }
      }));
    }

    async download(format) {
      try {
        const response = await this.chat.service.call(`assessments/${this.state.id}/protocol?format=${format}`, { accept: "*/*" });
        const url = URL.createObjectURL(await response.blob());
        el("a", { href: url, download: `protokoll-${this.state.checklist}.${format}` }).click();
        setTimeout(() => URL.revokeObjectURL(url), 10_000);
      } catch (error) {
        this.problem(error.message);
      }
    }
  }

  // --- the chat itself

  class Chat {
    constructor(element) {
      Object.assign(this, { element, service: new Service(element), from: new WeakMap(), busy: false, conversation: "" });
      this.store = `delningsstod-chat ${this.service.base.href}`;
      this.launcher = !["inline", "frame"].includes(element.getAttribute("mode"));
      this.live = el("p.hush", { role: "status" });
      this.log = el("div.log", { role: "log", "aria-live": "off", "aria-label": T.talk, tabindex: 0 }, this.greeting());
      this.field = el("textarea", { id: "question", rows: 2, required: true, "aria-describedby": "always",
        keydown: (event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          this.form.requestSubmit();
        } });
      // A plain field: a browser's own date field writes the day in the order of the browser's language, and the wrong day is the wrong law.
      this.day = el("input", { value: today(), size: 10, maxlength: 10, inputmode: "numeric", autocomplete: "off", placeholder: T.day_form,
        title: T.as_of_why });
      this.trouble = el("div.trouble", {});
      this.form = el("form.ask", { novalidate: true, submit: (event) => { event.preventDefault(); this.ask(this.field.value); } }, this.trouble,
        el("label", { for: "question" }, T.your_question), this.field,
        el("div.row", {}, el("label.day", {}, el("span", {}, T.as_of), this.day), el("button.main", { type: "submit" }, T.ask)));
      this.talk = el("div.view", {}, this.log, this.form);
      this.views = el("div.view", {}, this.talk);
      this.root = el("div.root", { lang: "sv", keydown: (event) => this.escape(event) }, this.panel(), this.live);
    }

    panel() {
      this.fresh = button(T.new_conversation, () => this.restart(), ".plain", { hidden: true });
      const header = el("header", {}, el("h2", { id: "name" }, T.name), this.fresh, this.launcher && button(T.close, () => this.close(), ".plain"));
      this.box = el(this.launcher ? "dialog.panel" : "section.panel", { "aria-labelledby": "name", close: () => this.closed() }, header, this.views,
        el("p.always", { id: "always" }, el("strong", {}, T.always), ` ${T.no_personal_data}`));
      if (!this.launcher) return [this.element.getAttribute("mode") === "frame" && el("h1.hush", {}, T.name), this.box];
      const label = this.element.getAttribute("label") || T.launch;
      this.opener = button(label, () => this.open(), ".main.launch", { "aria-haspopup": "dialog", "aria-expanded": "false" });
      return [this.opener, this.box];
    }

    greeting() {
      return el("div.greeting", {}, el("h3", {}, T.greeting), el("p", {}, T.scope), el("p.soft", {}, T.kept_talk), el("h4", {}, T.try),
        el("ul.tries", {}, T.examples.map((one) => el("li", {}, button(one, () => this.ask(one))))));
    }

    // The panel covers a narrow screen, and holds the focus then; beside a page that can be read it does not.
    open() {
      if (!this.launcher || this.box.open) return;
      if (matchMedia("(max-width: 40rem), (max-height: 30rem)").matches) this.box.showModal();
      else this.box.show();
      this.opener.hidden = true;
      this.opener.setAttribute("aria-expanded", "true");
      (this.talk.isConnected ? this.field : this.views.querySelector("h3")).focus();
      this.remember();
    }

    close() { if (this.launcher) this.box.close(); }

    closed() {
      this.opener.hidden = false;
      this.opener.setAttribute("aria-expanded", "false");
      this.opener.focus();
    }

    escape(event) {
      if (event.key !== "Escape" || event.isComposing) return;
      const card = event.target.closest(".card");
      if (!card && !this.launcher) return;
      event.preventDefault();
      event.stopPropagation();
      if (card) this.back(card);
      else this.close();
    }

    back(card) {
      const from = this.from.get(card);
      card.open = false;
      const to = from?.isConnected ? from : card.querySelector("summary");
      to.scrollIntoView({ block: "center" });
      to.focus({ preventScroll: true });
    }

    // Another view in place of the talk (the checklist); null brings the talk back, and the focus to where it came from.
    show(view, from) {
      this.views.replaceChildren(view || this.talk);
      if (view) this.left = [from, this.log.scrollTop];
      else if (this.left) {
        [, this.log.scrollTop] = this.left;
        this.left[0].focus({ preventScroll: true });
      }
    }

    say(text) {
      this.live.textContent = "";
      setTimeout(() => { this.live.textContent = text; }, 50);
    }

    copier(label, text) {
      const it = button(label, async () => {
        const said = (await copied(text(), this.root)) ? T.copied : T.not_copied;
        it.focus();
        it.textContent = said;
        this.say(said);
        setTimeout(() => { it.textContent = label; }, 2500);
      });
      return it;
    }

    outside(checklist) {
      const where = this.element.getAttribute("window-url");
      if (!where) return null;
      const url = new URL(where, this.service.base);
      url.search = new URLSearchParams({ checklist });  // the checklist's name and nothing else: no facts in an address
      return /^https?:$/.test(url.protocol) && el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, T.in_window);
    }

    // --- asking

    async ask(text) {
      const question = text.trim();
      this.trouble.replaceChildren();
      if (!question) return this.fail(T.empty);
      if (this.busy) return this.fail(T.wait);
      if (!isDay(this.day.value)) return this.fail(T.no_such_day, this.day);
      const turn = this.turn(question);
      this.working(true);
      try {
        const id = await this.posted(question);
        if (this.field.value === text) this.field.value = "";
        this.answered(turn, question, await this.service.answer(id, (name, data) => this.progress(turn, name, data)));
      } catch (error) {
        turn.remove();
        this.field.value ||= text;
        this.fail(error instanceof Trouble ? error.message : T.broken);
        if (error.status === 401 && this.element.getAttribute("mode") === "frame") {  // here the window's own sign-on counts
          this.trouble.firstChild.append(" ", el("a", { href: this.service.base.href, target: "_blank", rel: "noopener" }, T.sign_on));
        }
      } finally {
        this.working(false);
      }
    }

    async posted(text) {
      const fresh = !this.conversation;
      if (fresh) this.keep((await this.service.json("conversations", { method: "POST", body: {} })).id);
      try {
        const body = { text, as_of: this.day.value };
        return (await this.service.json(`conversations/${this.conversation}/answers`, { method: "POST", body })).id;
      } catch (error) {
        if (error.status !== 404 || fresh) throw error;
        this.keep("");  // the conversation is deleted, or somebody else's: begin one
        return this.posted(text);
      }
    }

    turn(question) {
      const held = this.log.contains(this.element.shadowRoot.activeElement);  // what was pressed goes away: the focus must not
      this.log.querySelector(".greeting")?.remove();
      this.log.querySelectorAll(".missing").forEach((one) => one.remove());
      this.fresh.hidden = false;
      const turn = el("article.turn", {}, el("h3.question", { tabindex: -1 }, el("span.lead", {}, T.you_asked), el("span", {}, question)),
        el("div.pending", {}, el("p", {}, T.working)));
      this.log.append(turn);
      if (held && !this.element.shadowRoot.activeElement) this.field.focus({ preventScroll: true });
      this.bring(turn);
      return turn;
    }

    bring(turn) {
      const scroller = [this.log, this.box].find((one) => one.scrollHeight > one.clientHeight + 1 && getComputedStyle(one).overflowY !== "visible");
      if (scroller) scroller.scrollTop += turn.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 12;
      else turn.scrollIntoView({ block: "nearest" });
    }

    working(busy) {
      this.busy = busy;
      this.log.setAttribute("aria-busy", String(busy));
    }

    progress(turn, name, data) {
      const pending = turn.querySelector(".pending");
      if (name === "status" && data.text && data.state !== "done") pending.firstChild.textContent = data.text;
      if (name !== "sources" || !pending) return;
      const found = [...new Map(data.citations.map((one) => [one.label, one])).values()];
      if (found.length) pending.replaceChildren(el("p", {}, T.checking), el("ul", {}, found.map((one) => el("li", {}, `${one.label} `, rank(one.kind)))));
    }

    answered(turn, question, answer, quiet = false) {
      const stopped = /^(refused|error)_/.test(answer.status);
      if (stopped) {
        turn.querySelector(".question span:last-child").textContent = T.question_stopped;
        this.field.value ||= question;
      }
      const held = turn.contains(this.element.shadowRoot.activeElement);
      turn.querySelector(".pending").replaceWith(new Shown(this, answer, question).node());
      this.bring(turn);
      if (held) turn.querySelector(".question").focus({ preventScroll: true });
      if (quiet || !turn.isConnected) return;
      const count = new Set(answer.citations.map((one) => one.passage_id)).size;
      this.say(`${T.ready}. ${T.status[answer.status] || ""}.${count ? ` ${fill(T.sources, { count })}.` : ""}${stopped ? ` ${answer.text_md}` : ""}`);
    }

    fail(text, where = this.field) {
      this.trouble.replaceChildren(alert(text));
      where.focus();
    }

    // --- the conversation: only its id is kept, in this tab

    keep(id) {
      this.conversation = id;
      try {
        if (id) sessionStorage.setItem(this.store, id);
        else sessionStorage.removeItem(this.store);
      } catch { /* a frame without storage: the conversation lives as long as the page */ }
    }

    async remember() {
      if (this.remembered) return;
      this.remembered = true;
      let id = "";
      try { id = sessionStorage.getItem(this.store); } catch { /* as in keep() */ }
      if (!id || this.busy || this.conversation) return;
      this.working(true);
      try {
        const { turns } = await this.service.json(`conversations/${encodeURIComponent(id)}`);
        this.conversation = id;
        for (const one of turns) {
          const turn = this.turn(one.text || T.question_stopped);
          this.answered(turn, one.text, one.answer || await this.service.answer(one.id, () => {}), true);
        }
      } catch (error) {
        this.log.querySelector(".turn:has(.pending)")?.remove();
        this.remembered = error.status === 404;  // otherwise another time: perhaps the page's sign-on was not there yet
        if (this.remembered) this.keep("");
      }
      this.working(false);
    }

    restart() {
      this.keep("");
      this.log.replaceChildren(this.greeting());
      this.show(null);
      this.fresh.hidden = true;
      this.field.focus();
    }
  }

  class DelningsstodChat extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      const shadow = this.attachShadow({ mode: "open" });
      shadow.adoptedStyleSheets = [STYLE];
      if (Object.hasOwn(this, "tokenProvider")) {  // set before this script had come
        this.provider = this.tokenProvider;
        delete this.tokenProvider;
      }
      this.chat = new Chat(this);
      shadow.append(this.chat.root);
      if (!this.chat.launcher) this.chat.remember();
    }
    get tokenProvider() { return this.provider; }
    set tokenProvider(given) {
      this.provider = given;
      if (this.chat && (!this.chat.launcher || this.chat.box.open)) this.chat.remember();
    }
    open() { this.chat?.open(); }
    close() { this.chat?.close(); }
  }

  if (!customElements.get("delningsstod-chat")) customElements.define("delningsstod-chat", DelningsstodChat);
})();
