"use strict";
// Zooms and moves all pictures of a crop together, and lays two of them over each other. Without it
// they are plain pictures.
const FARTHEST = 16, STEP = 1.25, MOVE = 0.1;

const made = (tag, text, parent) => {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (parent) parent.append(element);
  return element;
};

const limited = (value, low, high) => Math.min(high, Math.max(low, value));

for (const section of document.querySelectorAll("section.comparison")) {
  const tools = section.querySelector(".tools");
  // the part in sight: its left and upper end as shares of the picture, which is `zoom` times as large
  let zoom = 1, left = 0, top = 0;

  const show = () => {
    left = limited(left, 0, 1 - 1 / zoom);
    top = limited(top, 0, 1 - 1 / zoom);
    section.classList.toggle("zoomed", zoom > 1);
    for (const image of section.querySelectorAll(".view img")) {
      image.style.transform = `scale(${zoom}) translate(${-100 * left}%, ${-100 * top}%)`;
    }
  };

  // the point at these shares of the view stays where it is
  const zoomed = (factor, x = 0.5, y = 0.5) => {
    const next = limited(zoom * factor, 1, FARTHEST);
    left += x / zoom - x / next;
    top += y / zoom - y / next;
    zoom = next;
    show();
  };

  const keys = { "+": () => zoomed(STEP), "=": () => zoomed(STEP), "-": () => zoomed(1 / STEP),
    "0": () => zoomed(0), ArrowLeft: () => { left -= MOVE / zoom; show(); },
    ArrowRight: () => { left += MOVE / zoom; show(); },
    ArrowUp: () => { top -= MOVE / zoom; show(); }, ArrowDown: () => { top += MOVE / zoom; show(); } };

  const live = (view) => {
    let held = null;
    view.addEventListener("wheel", (event) => {
      const frame = view.getBoundingClientRect();
      if (zoom === 1 && event.deltaY > 0) return; // the page scrolls on
      event.preventDefault();
      zoomed(event.deltaY < 0 ? STEP : 1 / STEP, (event.clientX - frame.left) / frame.width,
        (event.clientY - frame.top) / frame.height);
    }, { passive: false });
    view.addEventListener("pointerdown", (event) => {
      if (zoom === 1) return;
      held = [event.clientX, event.clientY];
      view.setPointerCapture(event.pointerId);
      view.classList.add("held");
      event.preventDefault();
    });
    view.addEventListener("pointermove", (event) => {
      if (!held) return;
      const frame = view.getBoundingClientRect();
      left -= (event.clientX - held[0]) / frame.width / zoom;
      top -= (event.clientY - held[1]) / frame.height / zoom;
      held = [event.clientX, event.clientY];
      show();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      view.addEventListener(end, () => { held = null; view.classList.remove("held"); });
    }
  };

  const button = (text, name, act) => {
    const it = made("button", text, tools);
    it.type = "button";
    it.title = name;
    it.setAttribute("aria-label", name);
    it.addEventListener("click", act);
    return it;
  };

  button("+", "Zoom in", keys["+"]);
  button("−", "Zoom out", keys["-"]);
  button("Whole", "Whole crop", keys["0"]);
  for (const [text, name, key] of [["←", "Move left", "ArrowLeft"], ["→", "Move right", "ArrowRight"],
    ["↑", "Move up", "ArrowUp"], ["↓", "Move down", "ArrowDown"]]) button(text, name, keys[key]);

  const figures = [...section.querySelectorAll(":scope > .tiles figure")];
  const chooser = (text, chosen) => {
    const label = made("label", text, tools);
    const select = made("select", "", label);
    figures.forEach((figure, index) => {
      const option = made("option", figure.querySelector(".who").textContent, select);
      option.value = index;
    });
    select.value = chosen;
    return select;
  };
  const one = chooser("Lay ", Math.min(2, figures.length - 1));
  const other = chooser("over ", figures.length - 1);
  const pair = made("div", "");
  pair.className = "pair";
  pair.hidden = true;
  const stack = made("div", "", pair);
  stack.style.position = "relative";
  const under = made("div", "", stack), over = made("div", "", stack), edge = made("div", "", stack);
  edge.className = "edge";
  const slider = made("input", "", pair);
  slider.type = "range";
  slider.value = 50;
  const caption = made("p", "", pair);
  caption.className = "caption";
  tools.after(pair);

  const cover = () => {
    over.style.clipPath = `inset(0 ${100 - slider.value}% 0 0)`;
    edge.style.left = `${slider.value}%`;
  };
  const lay = () => {
    const pictures = [[under, other], [over, one]];
    const names = pictures.map(([, select]) => select.selectedOptions[0].textContent);
    for (const [view, select] of pictures) {
      view.replaceChildren(figures[select.value].querySelector("img").cloneNode());
    }
    slider.setAttribute("aria-label", `Share of ${names[1]} over ${names[0]}`);
    caption.textContent = `Left: ${names[1]}; right: ${names[0]}`;
    cover();
    show();
  };
  const toggle = button("Slider", "Slider: lay one picture over another", () => {
    pair.hidden = !pair.hidden;
    toggle.setAttribute("aria-expanded", String(!pair.hidden));
    if (!pair.hidden) lay();
  });
  toggle.setAttribute("aria-expanded", "false");
  slider.addEventListener("input", cover);
  for (const select of [one, other]) {
    select.addEventListener("change", () => { if (!pair.hidden) lay(); });
  }
  for (const view of [under, over]) view.className = "view";
  for (const view of section.querySelectorAll(".view")) live(view);
  tools.addEventListener("keydown", (event) => {
    if (event.target.tagName === "BUTTON" && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}
