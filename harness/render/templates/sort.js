"use strict";
// Sorts each section of the table by the column whose heading is pressed; without it the table
// stands in the order of the first track.
for (const table of document.querySelectorAll("table.board")) {
  const heads = [...table.querySelectorAll("tr.titles > th")];

  // A published row stays below the row that it belongs to.
  const families = (body) => {
    const found = [];
    for (const row of body.querySelectorAll("tr.line")) {
      if (row.classList.contains("published") && found.length) found.at(-1).push(row);
      else found.push([row]);
    }
    return found;
  };

  const value = (row, column, text) => {
    const cell = row.cells[column];
    if (text) return row.cells[0].textContent.trim().toLowerCase();
    return cell && cell.dataset.value !== undefined ? Number(cell.dataset.value) : null;
  };

  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };

  const sort = (column) => {
    const head = heads[column];
    const first = head.dataset.sort === "higher" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const any of heads) any.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const text = head.dataset.sort === "text";
    for (const body of table.tBodies) {
      const keyed = families(body).map((rows) => [value(rows[0], column, text), rows]);
      keyed.sort((a, b) => compare(a[0], b[0], sign));
      for (const [, rows] of keyed) body.append(...rows);
    }
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });
}

// A link from the table opens the section that it leads to.
const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", open);
open();
