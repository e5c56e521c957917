
// Opening cells: by hand, by keyboard, by permalink

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
  settle(button, 8);
}
// Chapters that come into sight get their real height only then, and push the cell away.
function settle(button, tries) {
  const before = button.getBoundingClientRect().top;
  reveal(button);
  const moved = Math.abs(button.getBoundingClientRect().top - before) > 1;
  if (moved && tries) requestAnimationFrame(() => requestAnimationFrame(() => settle(button, tries - 1)));
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
