"use strict";
// The board's table with a mouse: sorted by a heading, filtered, with columns left out. What was
// chosen stands in the address. Without this script the table stands in the board's own order.
const parts = new URLSearchParams(location.hash.slice(1));
const made = (name, fields = {}, ...inner) => {
  const it = Object.assign(document.createElement(name), fields);
  it.append(...inner);
  return it;
};

const board = (table, controls) => {
  const heads = [...table.querySelectorAll("tr.titles > th")];
  const bodies = [...table.tBodies];
  // A published row stays below the row that it belongs to.
  const families = new Map(bodies.map((body) => {
    const found = [];
    for (const row of body.querySelectorAll("tr.line")) {
      if (row.classList.contains("published") && found.length) found.at(-1).push(row);
      else found.push([row]);
    }
    return [body, found];
  }));

  const value = (row, column) => {
    if (column === 0) return row.cells[0].textContent.trim().toLowerCase();
    const cell = row.cells[column];
    return cell && cell.dataset.v !== undefined ? Number(cell.dataset.v) : null;
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };
  const first = (head) => (head.dataset.sort === "higher" ? "descending" : "ascending");

  // Rows move while their section is out of the document: they are laid out once.
  const sorted = (column, order) => {
    for (const any of heads) any.removeAttribute("aria-sort");
    if (order) heads[column].setAttribute("aria-sort", order);
    const sign = order === "descending" ? -1 : 1, place = bodies[0] && bodies[0].previousSibling;
    for (const body of bodies) body.remove();
    for (const body of bodies) {
      let its = families.get(body);
      if (order) {
        const keyed = its.map((rows) => [value(rows[0], column), rows]);
        its = keyed.sort((a, b) => compare(a[0], b[0], sign)).map(([, rows]) => rows);
      }
      body.append(...its.flat());
    }
    if (place) place.after(...bodies); else table.append(...bodies);
  };

  const state = {sort: "", order: "", find: "", off: new Set(), hide: new Set()};
  const tell = () => {
    if (!controls) return;
    const told = new URLSearchParams();
    if (state.sort) told.set("sort", `${state.sort}.${state.order}`);
    if (state.find) told.set("find", state.find);
    if (state.off.size) told.set("off", [...state.off].join("."));
    if (state.hide.size) told.set("hide", [...state.hide].join("."));
    const text = told.toString();
    try {
      history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    } catch { /* a file in a frame has no history */ }
  };
  const press = (column) => {
    const head = heads[column], now = head.getAttribute("aria-sort");
    const other = first(head) === "ascending" ? "descending" : "ascending";
    const order = now === null ? first(head) : now === first(head) ? other : "";
    [state.sort, state.order] = order ? [String(column), order] : ["", ""];
    sorted(column, order);
    if (back) back.hidden = !order;
    tell();
  };
  let back = null;
  heads.forEach((head, column) => {
    const button = made("button", {type: "button"}, ...head.childNodes);
    button.addEventListener("click", () => press(column));
    head.append(button);
  });
  if (!controls) return;

  const filtered = () => {
    const wanted = state.find.trim().toLowerCase();
    for (const body of bodies) {
      let shown = 0;
      for (const rows of families.get(body)) {
        const fits = !wanted || rows[0].cells[0].textContent.toLowerCase().includes(wanted);
        const off = state.off.has(body.className)
          || (state.off.has("references") && rows[0].querySelector(".badge.reference"));
        for (const row of rows) row.hidden = !fits || Boolean(off);
        shown += fits && !off;
      }
      body.hidden = !shown;
    }
  };
  const groups = [...table.querySelectorAll("tr.groups > :not(.name)")].map((th) => [th, th.colSpan]);
  const rules = document.head.appendChild(made("style"));
  const columns = () => {
    rules.textContent = [...state.hide].map((at) =>
      `.tall tr.titles > :nth-child(${at + 1}), .tall tr.line > :nth-child(${at + 1}):not(.why)`
      + " { display: none; }").join("\n");
    let at = 1;
    for (const [th, span] of groups) {
      const left = [...Array(span).keys()].filter((it) => !state.hide.has(at + it)).length;
      at += span;
      th.hidden = !left;
      th.colSpan = Math.max(left, 1);
    }
  };
  const box = (text, on, change) => {
    const input = made("input", {type: "checkbox", checked: on});
    input.addEventListener("change", () => change(input.checked));
    return made("label", {}, input, ` ${text}`);
  };
  const toggled = (set, key, draw) => (on) => {
    if (on) set.delete(key); else set.add(key);
    draw();
    tell();
  };

  state.find = parts.get("find") || "";
  const names = new Map([["ranked", "Ranked"], ["unranked", "Not ranked"], ["floor", "Floor"],
                         ["below", "Below the floor"],
                         ["failed", "Failed"]].filter(([it]) => table.querySelector(`tbody.${it}`)));
  if (table.querySelector(".badge.reference")) names.set("references", "References");
  for (const it of (parts.get("off") || "").split(".")) if (names.has(it)) state.off.add(it);
  for (const it of (parts.get("hide") || "").split(".")) {
    if (Number(it) > 0 && Number(it) < heads.length) state.hide.add(Number(it));
  }
  const search = made("input", {type: "search", placeholder: "Find a model", value: state.find});
  search.setAttribute("aria-label", "Find a model");
  search.addEventListener("input", () => { state.find = search.value; filtered(); tell(); });
  back = made("button", {type: "button", hidden: true}, "Board's order");
  back.addEventListener("click", () => {
    [state.sort, state.order, back.hidden] = ["", "", true];
    sorted(0, "");
    tell();
  });
  const list = made("div", {className: "columns"}, ...heads.slice(1).map((head, at) =>
    box(head.dataset.name, !state.hide.has(at + 1), toggled(state.hide, at + 1, columns))));
  controls.append(search, ...[...names].map(([key, text]) =>
    box(text, !state.off.has(key), toggled(state.off, key, filtered))),
    made("details", {}, made("summary", {}, "Columns"), list), back);
  controls.hidden = false;
  const [column, order] = (parts.get("sort") || "").split(".");
  if (heads[column] && ["ascending", "descending"].includes(order)) {
    [state.sort, state.order, back.hidden] = [column, order, false];
    sorted(Number(column), order);
  }
  if (state.find || state.off.size) filtered();
  if (state.hide.size) columns();
};

for (const table of document.querySelectorAll("table.board")) {
  const frame = table.closest(".tall");
  board(table, frame && frame.previousElementSibling);
}

// A link from a printed table opens the section that it leads to.
const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", open);
open();
