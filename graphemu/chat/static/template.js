// Structured messages of the page: cards, buttons, receipts, media.

import { h, icon, webURL, pictureURL } from "./dom.js";

export function renderTemplate(payload, act) {
  switch (payload?.template_type) {
    case "generic": return carousel(payload.elements ?? [], payload.image_aspect_ratio, act);
    case "button": return h("div", { class: "card" },
      h("p", { class: "card-text" }, payload.text ?? ""), buttons(payload.buttons, act));
    case "media": return h("div", { class: "card" },
      media(payload.elements?.[0] ?? {}), buttons(payload.elements?.[0]?.buttons, act));
    case "receipt": return receipt(payload);
  }
  return h("div", { class: "card" }, h("p", { class: "card-text" }, "Template: " + (payload?.template_type ?? "unknown")),
    h("pre", {}, JSON.stringify(payload, null, 1)));
}

function carousel(elements, ratio, act) {
  const row = h("div", { class: "carousel", tabindex: elements.length > 1 ? "0" : undefined, role: "group", "aria-label": "Cards" },
    elements.map((e) => card(e, ratio, act)));
  if (elements.length < 2) return row;
  const step = (by) => () => row.scrollBy({ left: by * 260, behavior: "smooth" });
  return h("div", { class: "carousel-frame" }, row,
    h("button", { type: "button", class: "arrow left", "aria-label": "Earlier cards", onclick: step(-1) }, icon("m14.5 6-6 6 6 6")),
    h("button", { type: "button", class: "arrow right", "aria-label": "Later cards", onclick: step(1) }, icon("m9.5 6 6 6-6 6")));
}

function card(e, ratio, act) {
  const target = webURL(e.default_action?.url);
  const body = [
    e.image_url ? h("img", { class: "card-image " + (ratio === "square" ? "square" : ""), src: pictureURL(e.image_url), alt: "", loading: "lazy" }) : "",
    h("div", { class: "card-words" }, h("p", { class: "card-title" }, e.title ?? ""), e.subtitle ? h("p", { class: "card-subtitle" }, e.subtitle) : ""),
  ];
  return h("div", { class: "card" },
    target ? h("a", { class: "card-link", href: target, target: "_blank", rel: "noopener noreferrer" }, body) : body,
    buttons(e.buttons, act));
}

function buttons(list, act) {
  if (!list?.length) return "";
  return h("div", { class: "buttons" }, list.map((b) => button(b, act)));
}

function button(b, act) {
  const link = (href) => h("a", { href, target: "_blank", rel: "noopener noreferrer" }, b.title ?? "");
  switch (b.type) {
    case "postback":
      return h("button", { type: "button", onclick: () => act({ postback: { title: b.title, payload: b.payload } }) }, b.title);
    case "web_url": return link(webURL(b.url));
    case "phone_number": return h("a", { href: "tel:" + String(b.payload ?? "").replace(/[^+\d]/g, "") }, b.title ?? "");
    case "account_link": return h("a", { href: webURL(b.url), target: "_blank", rel: "noopener noreferrer" }, "Log in");
  }
  return h("button", { type: "button", disabled: true }, b.title ?? b.type);
}

function media(e) {
  const src = webURL(e.url);
  if (!src) return h("p", { class: "card-text" }, (e.media_type ?? "media") + " " + (e.attachment_id ?? ""));
  return e.media_type === "video" ? h("video", { src, controls: true }) : h("img", { class: "card-image", src, alt: "" });
}

function receipt(r) {
  const money = (n) => (n === undefined ? "" : Number(n).toFixed(2) + " " + (r.currency ?? ""));
  const row = (name, value, strong) => h("div", { class: "receipt-row" + (strong ? " strong" : "") }, h("span", {}, name), h("span", {}, value));
  return h("div", { class: "card receipt" },
    h("p", { class: "card-title" }, "Order " + (r.order_number ?? "")),
    (r.elements ?? []).map((e) => row((e.quantity ? e.quantity + " × " : "") + e.title, money(e.price))),
    (r.adjustments ?? []).map((a) => row(a.name, money(-a.amount))),
    r.summary?.shipping_cost !== undefined ? row("Shipping", money(r.summary.shipping_cost)) : "",
    r.summary?.total_tax !== undefined ? row("Tax", money(r.summary.total_tax)) : "",
    row("Total", money(r.summary?.total_cost), true));
}
