// Small helpers around the DOM. Text only ever becomes text nodes.

// h makes an element: h("p", {class: "x"}, "text", child).
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(el.dataset, value);
    else el.setAttribute(name, value === true ? "" : value);
  }
  el.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false && c !== ""));
  return el;
}

export const $ = (id) => document.getElementById(id);

// icon makes an SVG of one path.
export function icon(path) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const p = document.createElementNS(ns, "path");
  p.setAttribute("d", path);
  svg.append(p);
  return svg;
}

// webURL gives the address when it leads to the web, and nothing for
// javascript: and the like.
export function webURL(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

// pictureURL is webURL that also takes the emulator's own pictures.
export function pictureURL(text) {
  return typeof text === "string" && text.startsWith("/_emu/") ? text : webURL(text);
}

export function avatar(src, size) {
  return h("img", { class: "avatar " + (size ?? ""), src: pictureURL(src), alt: "" });
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

// dayAndClock is what stands between messages that are far apart.
export function dayAndClock(iso) {
  const d = new Date(iso);
  const today = new Date().toDateString() === d.toDateString();
  return (today ? "" : d.toLocaleDateString([], { day: "numeric", month: "short" }) + ", ") + clock(iso);
}

let hide;
export function toast(text) {
  const el = $("toast");
  el.textContent = text;
  el.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => { el.hidden = true; }, 5000);
}

// joined makes f run once at a time, and once more when it was called
// meanwhile, with a breath in between: a storm of changes stays cheap.
export function joined(f) {
  let running = false, again = false;
  return async function run() {
    if (running) { again = true; return; }
    running = true;
    try {
      do {
        again = false;
        await f();
        if (again) await new Promise((done) => setTimeout(done, 60));
      } while (again);
    } finally {
      running = false;
    }
  };
}
