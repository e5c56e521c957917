"use strict";
// Data reaches the page as text only: every string goes through textContent or setAttribute of a
// fixed attribute. Nothing here parses markup.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const verdicts = Object.keys(data.verdicts);
  const BAD = new Set(["fail", "ignored", "rejected", "fixed", "error"]);
  const IDLE = new Set(["not-run", "not-promised"]);
  const OPEN = new Set(["inconclusive", "untestable", "not-run"]);
  const grid = document.getElementById("grid");
  const rows = Array.from(grid.querySelectorAll("tr[data-r]"));
  const rowOf = new Map(rows.map((row) => [Number(row.dataset.r), row]));

  function el(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  }
  function add(parent, ...children) {
    for (const child of children) if (child) parent.append(child);
    return parent;
  }
  function chip(verdict) {
    const node = el("span", "chip v-" + verdict);
    const sign = el("b", "", data.verdicts[verdict]);
    sign.setAttribute("aria-hidden", "true");
    return add(node, sign, " " + verdict);
  }
  function cellAt(r, t) {
    const index = data.grid[r][t];
    return index < 0 ? [] : data.cells[index];
  }
  function permalink(r, t, anchor) {
    const parts = [data.targets[t], data.requirements[r][0]].concat(anchor ? [anchor] : []);
    return "#" + parts.map(encode).join("/");
  }
  function encode(part) {
    try { return encodeURIComponent(part); } catch { return "_"; }
  }

  // Opening a cell

  function detail(r, t, anchor) {
    const [id, level, statement, kind, reference, quote] = data.requirements[r];
    const box = el("div", "detail");
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", data.targets[t] + ", " + id);
    const close = el("button", "copy close", "Close");
    close.type = "button";
    close.addEventListener("click", () => shut(true));
    add(box, close, add(el("h4"), el("code", "", id), " ", el("span", "lv l-" + level, level), " – " + data.targets[t]));
    if (statement) add(box, el("p", "", statement));
    if (kind || reference || quote) {
      const source = el("blockquote");
      if (quote) add(source, "“" + quote + "” ");
      add(box, add(source, el("small", "", "– " + kind + (reference ? ", " : "")), link(reference)));
    }
    const places = cellAt(r, t).slice().sort((a, b) => rank(b) - rank(a));
    for (const place of places) add(box, verdict(r, t, place, anchor));
    return box;
  }
  function link(reference) {
    if (!/^https?:\/\//.test(reference)) return el("small", "", reference);
    const a = el("a", "", reference);
    a.href = reference;
    a.rel = "noopener noreferrer";
    return a;
  }
  function rank(place) {
    const word = verdicts[place[1]];
    return BAD.has(word) ? 3 : word === "pass" || word === "info" ? 0 : OPEN.has(word) ? 1 : 2;
  }
  function verdict(r, t, [slot, index, text, more], anchor) {
    const extras = more || {};
    const [label, key, endpoint] = data.slots[slot];
    const box = el("article", "place" + (anchor === key ? " target" : ""));
    const hash = el("a", "", "# permalink");
    hash.href = permalink(r, t, key);
    add(box, add(el("h5"), chip(verdicts[index]), el("span", "", label), hash));
    if (data.texts[text]) add(box, el("p", "msg", data.texts[text]));
    const facts = [
      extras.since && "red since " + extras.since + " UTC",
      extras.reason && "reason: " + extras.reason,
      extras.occurrences && "seen in " + extras.occurrences,
      extras.requests && extras.requests + " requests of its own",
      extras.seconds && extras.seconds + " s",
      extras.ids && "evidence: " + extras.ids.join(", "),
    ].filter(Boolean);
    if (facts.length) add(box, el("p", "facts", facts.join(" · ")));
    if (extras.minimal !== undefined) add(box, exhibit(data.exhibits[extras.minimal], "Smallest failing request"));
    if (extras.first !== undefined) add(box, exhibit(data.exhibits[extras.first], extras.minimal === undefined ? "Request" : "Request that first showed it"));
    if (extras.curl) add(box, command("curl", extras.curl));
    if (more) add(box, calibration(data.learned[t].filter((each) => each[0] === endpoint)));
    if (BAD.has(verdicts[index]) && extras.ids && extras.minimal === undefined && extras.first === undefined)
      add(box, el("p", "facts", "The exchange is not in this page; look for its id in evidence/."));
    return box;
  }
  function calibration(lessons) {
    if (!lessons.length) return null;
    const box = el("details", "facts"), list = el("ul");
    add(box, el("summary", "", "What calibration found at this endpoint"), list);
    for (const [, lesson, finding] of lessons) add(list, el("li", "", lesson.replaceAll("_", " ") + ": " + finding));
    return box;
  }
  function exhibit(x, title) {
    const box = el("div", "exhibit");
    const left = el("div"), right = el("div");
    add(left, el("h6", "", title), block([x.request, ...(x.headers || []), "", x.body || "(no body)"].join("\n")));
    add(right, el("h6", "", "Response"), block([x.status, ...(x.answer || []), "", x.response || "(no body)"].join("\n")));
    add(box, add(el("div", "pair"), left, right));
    if (x.notes) add(box, el("p", "facts", x.notes.join(" · ")));
    if (x.timeline) add(box, timeline(x.timeline));
    if (x.start) add(box, command("Start the server again", x.start));
    if (x.curl) add(box, command("curl", x.curl));
    if (x.python) add(box, command("Python, openai SDK", x.python));
    return box;
  }
  function block(text) {
    const pre = el("pre", "", text);
    pre.tabIndex = 0;
    return pre;
  }
  function command(title, text) {
    const box = el("div");
    const button = el("button", "copy", "Copy");
    const pre = block(text);
    button.type = "button";
    button.setAttribute("aria-label", "Copy " + title);
    button.addEventListener("click", () => copy(text, pre, button));
    return add(box, add(el("h6"), title, button), pre);
  }
  function copy(text, pre, button) {
    const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
    const byHand = () => {
      getSelection().selectAllChildren(pre);
      if (document.execCommand("copy")) done();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
    else byHand();
  }
  const SVG = "http://www.w3.org/2000/svg";
  function track(part) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "track");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(SVG, "rect"), dot = document.createElementNS(SVG, "circle");
    for (const [k, v] of [["x", "0"], ["y", "45%"], ["width", "100%"], ["height", "1.5"]]) line.setAttribute(k, v);
    for (const [k, v] of [["cx", 2 + 96 * part + "%"], ["cy", "50%"], ["r", "3.5"]]) dot.setAttribute(k, v);
    svg.append(line, dot);
    return svg;
  }
  function timeline(x) {
    const box = el("div");
    const total = Math.max(x.elapsed || 0, ...x.rows.map((row) => row[0] || 0), 1e-9);
    add(box, el("h6", "", "Arrivals: " + x.events + " events in " + x.reads + " reads, " + x.elapsed + " s"));
    const table = el("table", "time");
    const head = el("tr");
    for (const [name, text] of [["n", "event"], ["at", "at"], ["ln", "time"], ["by", "bytes"], ["d", "data"]]) {
      const th = el("th", name, text);
      th.scope = "col";
      head.append(th);
    }
    const body = el("tbody");
    for (const [at, bytes, text, tone, index] of x.rows) {
      const tr = el("tr", tone);
      if (index === undefined) {
        const td = el("td", "facts", text);
        td.colSpan = 5;
        body.append(add(tr, td));
        continue;
      }
      const line = el("td", "ln");
      if (at !== null) line.append(track(at / total));
      add(tr, el("td", "n", index), el("td", "at", at === null ? "" : (at * 1000).toFixed(1) + " ms"), line, el("td", "by", bytes),
        add(el("td", "d"), tone ? el("b", "", "▶ guilty: ") : null, el("code", "", text)));
      body.append(tr);
    }
    add(box, add(table, add(el("thead"), head), body));
    for (const breach of x.breaches) add(box, el("p", "facts", "grammar: " + breach));
    return box;
  }

  let opened = null;
  function shut(focus) {
    if (!opened) return;
    const { row, button } = opened;
    opened = null;
    row.remove();
    button.setAttribute("aria-expanded", "false");
    button.removeAttribute("aria-controls");
    if (focus) button.focus();
  }
  function open(button, anchor) {
    const tr = button.closest("tr");
    const r = Number(tr.dataset.r), t = button.parentElement.cellIndex - 1;
    shut(false);
    const row = el("tr", "open"), td = el("td");
    td.colSpan = data.targets.length + 1;
    row.id = "open";
    tr.after(add(row, add(td, detail(r, t, anchor))));
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-controls", "open");
    opened = { row, button };
    return [r, t];
  }
  grid.addEventListener("click", (event) => {
    const button = event.target.closest("td > button");
    if (!button || !button.closest("tr").dataset.r) return;
    if (opened && opened.button === button) {
      shut(true);
      return;
    }
    const [r, t] = open(button, null);
    history.replaceState(null, "", permalink(r, t));
  });
  grid.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return shut(true);
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[event.key];
    const td = event.target.closest("tr[data-r] > td");
    if (!step || !td || event.target.tagName !== "BUTTON" || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = neighbour(td, step);
    if (next) {
      next.focus();
      event.preventDefault();
    }
  });
  function neighbour(td, [down, right]) {
    const shown = rows.filter((row) => row.offsetParent !== null);
    const row = shown[shown.indexOf(td.parentElement) + down];
    const cell = row && row.cells[td.cellIndex + right];
    return cell && cell.querySelector("button");
  }

  // Permalinks

  function follow() {
    const parts = location.hash.slice(1).split("/");
    if (parts.length < 2) return;
    let target, id, anchor;
    try { [target, id, anchor] = parts.map(decodeURIComponent); } catch { return; }
    const t = data.targets.indexOf(target);
    const r = data.requirements.findIndex((each) => each[0] === id);
    const row = t < 0 ? null : rowOf.get(r);
    const button = row && row.cells[t + 1].querySelector("button");
    if (!button) return;
    if (row.hidden) {
      for (const name of ["text", "chapter", "level"]) field(name).value = "";
      field("verdict").value = "all";
      filter();
    }
    open(button, anchor || null);
    button.focus({ preventScroll: true });
    const show = () => reveal(button);
    show();
    // Chapters that come into sight get their real height only then.
    requestAnimationFrame(() => requestAnimationFrame(show));
  }
  function reveal(button) {
    if (!grid.classList.contains("wide")) {
      button.scrollIntoView({ block: "start", inline: "nearest", behavior: "instant" });
      return;
    }
    // The box scrolls under its own sticky heads; the page only brings the box into sight.
    const table = button.closest("table"), head = table.tHead.rows[0].cells[0].getBoundingClientRect();
    const box = grid.getBoundingClientRect(), cell = button.getBoundingClientRect();
    grid.scrollTop += cell.top - box.top - head.height - 8;
    if (cell.left < box.left + head.width || cell.right > box.right) grid.scrollLeft += cell.left - box.left - head.width - 12;
    grid.scrollIntoView({ block: "start", behavior: "instant" });
  }
  addEventListener("hashchange", follow);

  // Filters

  const form = document.getElementById("filters");
  const field = (name) => document.getElementById("f-" + name);
  const sought = rows.map((row) => {
    const r = Number(row.dataset.r), seen = new Set();
    data.targets.forEach((_, t) => cellAt(r, t).forEach((place) => seen.add(verdicts[place[1]])));
    return { row, r, seen, level: data.requirements[r][1], chapter: row.closest(".chapter").dataset.chapter, words: null };
  });
  function wordsOf(each) {
    if (each.words === null) {
      const texts = new Set();
      data.targets.forEach((_, t) => cellAt(each.r, t).forEach((place) => texts.add(data.texts[place[2]])));
      each.words = [...data.requirements[each.r], ...texts].join("\n").toLowerCase();
    }
    return each.words;
  }
  const ran = (seen) => Array.from(seen).some((word) => !IDLE.has(word));
  const ranAtAll = sought.some((each) => ran(each.seen));
  const idle = ranAtAll ? sought.filter((each) => !ran(each.seen)).length : 0;
  function has(seen, wanted) {
    if (wanted === "all" || (!wanted && !ranAtAll)) return true;
    if (!wanted) return ran(seen);
    const set = wanted === "bad" ? BAD : wanted === "open" ? OPEN : new Set([wanted]);
    return Array.from(seen).some((word) => set.has(word));
  }
  function filter() {
    shut(false);
    const text = field("text").value.trim().toLowerCase();
    const chapter = field("chapter").value, level = field("level").value, wanted = field("verdict").value;
    let shown = 0;
    for (const each of sought) {
      const fits = (!chapter || each.chapter === chapter) && (!level || each.level === level) && has(each.seen, wanted) && (!text || wordsOf(each).includes(text));
      each.row.hidden = !fits;
      shown += fits;
    }
    for (const section of grid.querySelectorAll(".chapter")) section.hidden = !section.querySelector("tr[data-r]:not([hidden])");
    field("count").textContent = shown + " of " + rows.length + " requirements" + (idle && !wanted ? " (" + idle + " not run)" : "");
  }
  form.hidden = false;
  grid.style.setProperty("--targets", data.targets.length);
  grid.classList.add("counted");
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const button of grid.querySelectorAll("td > button")) {
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
  }
  filter();
  follow();
})();
