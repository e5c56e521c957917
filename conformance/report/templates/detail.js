
// What a cell opens to

function detail(r, t, anchor) {
  const [id, level, statement, kind, reference, quote] = data.requirements[r];
  const box = el("div", "detail");
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", data.targets[t] + ", " + id);
  const close = el("button", "copy close", "Close");
  close.type = "button";
  close.addEventListener("click", () => shut(true));
  add(box, close, add(el("h4"), el("code", "", id), " ", el("span", "lv l-" + level, level), " – " + data.targets[t]));
  if (statement) add(box, ticked(el("p", "statement"), statement));
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
  add(right, el("h6", "", "Response"), ...response(x));
  add(box, add(el("div", "pair"), left, right));
  if (x.notes) add(box, el("p", "facts", x.notes.join(" · ")));
  if (x.timeline) add(box, timeline(x.timeline));
  if (x.start) add(box, command("Start the server again", x.start));
  if (x.curl) add(box, command("curl", x.curl));
  if (x.python) add(box, command("Python, openai SDK", x.python));
  return box;
}
// The raw bytes of a stream say what its timeline says: they are folded away.
function response(x) {
  const head = [x.status, ...(x.answer || [])], body = x.response || "(no body)";
  if (!x.timeline) return [block([...head, "", body].join("\n"))];
  return [block(head.join("\n")), add(el("details", "facts"), el("summary", "", "Raw body"), block(body))];
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
  for (const row of x.rows) body.append(arrival(row, total));
  add(box, add(table, add(el("thead"), head), body));
  for (const breach of x.breaches) add(box, el("p", "facts", "grammar: " + breach));
  return box;
}
function arrival([at, bytes, text, tone, index], total) {
  const tr = el("tr", tone), line = el("td", "ln"), told = el("td", "d");
  if (at === null && index === undefined) {
    told.colSpan = 5;
    return add(tr, add(told, text));
  }
  if (at !== null) line.append(track(at / total));
  if (tone) told.append(el("b", "", tone === "guilty" ? "▶ guilty: " : "■ "));
  told.append(index === undefined ? text : el("code", "", text));
  return add(tr, el("td", "n", index), el("td", "at", at === null ? "" : (at * 1000).toFixed(1) + " ms"), line, el("td", "by", bytes || ""), told);
}
