"use strict";
// Data reaches the page as text only: every string goes through textContent or setAttribute of a
// fixed attribute. Nothing here parses markup.
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
// What stands between backticks is code.
function ticked(parent, text) {
  const pieces = text.split("`");
  if (pieces.length % 2 === 0) pieces.splice(-2, 2, pieces.slice(-2).join("`"));
  pieces.forEach((piece, n) => parent.append(n % 2 ? el("code", "", piece) : piece));
  return parent;
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
