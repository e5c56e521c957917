
// Filters, and the start

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
