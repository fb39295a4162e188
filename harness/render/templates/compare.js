"use strict";
// Two models beside each other, which are named in the address (#a=ID&b=ID). Without this script the
// page has all models beside one.
const {columns, rows, baseline} = JSON.parse(document.getElementById("rows").textContent);
const section = document.querySelector("section.pair");
const made = (name, fields = {}, ...inner) => {
  const it = Object.assign(document.createElement(name), fields);
  it.append(...inner);
  return it;
};
const at = (id) => rows.findIndex((row) => row.id === id);
const named = () => {
  const told = new URLSearchParams(location.hash.slice(1));
  const a = at(told.get("a")), b = at(told.get("b")), base = Math.max(at(baseline), 0);
  const first = a >= 0 ? a : b === base ? (base ? 0 : 1) : base;
  return [first, b >= 0 ? b : first === 0 ? 1 : 0];
};
const verdict = (column, a, b) => {
  if (a === null || b === null) return ["–", ""];
  const told = column.differs || !column.better ? b - a : a ? b / a : null;
  if (told === null) return ["–", ""];
  const decimals = column.unit === "dB" ? 2 : 4;
  const text = column.differs
    ? (told < 0 ? "−" : "+") + Math.abs(told).toFixed(decimals) + (column.unit ? ` ${column.unit}` : "")
    : column.better ? `×${told.toFixed(3)}` : "";
  if (!column.better || a === b) return [text, ""];
  return [text, (b < a) === (column.better === "lower") ? "better" : "worse"];
};
const link = (row) => made("a", {href: row.link}, made("bdi", {}, row.name));
const figure = ([text, , place, spread]) => made("td", {className: "right"}, text,
  ...(place && place !== text ? [made("sub", {}, ` (${place})`)] : []),
  ...(spread ? [made("small", {}, ` ${spread}`)] : []));

const draw = (one, other) => {
  const a = rows[one], b = rows[other], counts = {better: 0, worse: 0};
  const body = made("tbody");
  columns.forEach((column, index) => {
    if (a.cells[index][1] === null && b.cells[index][1] === null) return;
    const [text, word] = verdict(column, a.cells[index][1], b.cells[index][1]);
    if (word) counts[word] += 1;
    const title = column.unit ? `${column.title} [${column.unit}]` : column.title;
    body.append(made("tr", {}, made("th", {scope: "row", className: "left"}, title),
      figure(a.cells[index]), figure(b.cells[index]),
      made("td", {className: `right ${word}`}, text, ...(word ? [made("small", {}, ` ${word}`)] : []))));
  });
  const head = (...inner) => made("th", {scope: "col", className: "right"}, ...inner);
  section.querySelector("table").replaceChildren(
    made("thead", {}, made("tr", {}, made("th", {scope: "col", className: "left"}, "Figure"),
      head(link(a)), head(link(b)), head("The second beside the first"))), body);
  let told = `The second is better in ${counts.better} and worse in ${counts.worse} figures.`;
  if (a.span && b.span && a.span[0] <= b.span[1] && b.span[0] <= a.span[1]) {
    told += ` By runtime their ranks overlap (${a.span.join("–")} and ${b.span.join("–")}): `
      + "the rounds may not tell them apart.";
  }
  section.querySelector("[role=status]").textContent = told;
};

if (rows.length > 1) {
  const picks = ["First model", "Second model"].map((text) => {
    const pick = made("select", {}, ...rows.map((row, index) =>
      made("option", {value: index}, row.name)));
    pick.setAttribute("aria-label", text);
    return pick;
  });
  const show = (a, b) => {
    [picks[0].value, picks[1].value] = [String(a), String(b)];
    draw(a, b);
  };
  const picked = () => {
    const [a, b] = picks.map((it) => Number(it.value));
    draw(a, b);
    const told = new URLSearchParams({a: rows[a].id, b: rows[b].id});
    try {
      history.replaceState(null, "", `#${told}`);
    } catch { /* a file in a frame has no history */ }
  };
  for (const pick of picks) pick.addEventListener("change", picked);
  const swap = made("button", {type: "button"}, "Swap");
  swap.addEventListener("click", () => {
    [picks[0].value, picks[1].value] = [picks[1].value, picks[0].value];
    picked();
  });
  section.querySelector(".controls").append(picks[0], "and", picks[1], swap);
  section.hidden = false;
  addEventListener("hashchange", () => show(...named()));
  show(...named());
}
