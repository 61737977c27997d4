// Structured messages of the page, as people see them.

import { h, icon, webURL, pictureURL } from "./dom.js";
import { boardingPass, checkIn, flightUpdate, itinerary } from "./airline.js";
import { coupon, feedback, product, receipt } from "./commerce.js";

// renderTemplate draws a template. ctx holds the message, the page, the person
// and act, which does something as the person.
export function renderTemplate(payload, ctx) {
  switch (payload?.template_type) {
    case "generic": return carousel((payload.elements ?? []).map((e) => card(e, payload.image_aspect_ratio, ctx)));
    case "button": return h("div", { class: "card" }, h("p", { class: "card-text" }, payload.text ?? ""), buttons(payload.buttons, ctx));
    case "media": return h("div", { class: "card" }, media(payload.elements?.[0] ?? {}), buttons(payload.elements?.[0]?.buttons, ctx));
    case "list": return list(payload, ctx);
    case "open_graph": return openGraph(payload.elements?.[0] ?? {}, ctx);
    case "receipt": return receipt(payload);
    case "airline_boardingpass": return carousel((payload.boarding_pass ?? []).map((p) => boardingPass(p)), payload.intro_message);
    case "airline_checkin": return checkIn(payload);
    case "airline_itinerary": return itinerary(payload);
    case "airline_update": return flightUpdate(payload);
    case "coupon": return coupon(payload, ctx);
    case "product": return carousel((payload.elements ?? []).map((e) => product(e)));
    case "customer_feedback": return feedback(payload, ctx);
    case "one_time_notif_req":
    case "notification_messages": return notification(payload, ctx);
  }
  return h("div", { class: "card" }, h("p", { class: "card-text" }, "Template: " + (payload?.template_type ?? "unknown")),
    h("pre", {}, JSON.stringify(payload, null, 1)));
}

export function carousel(cards, intro) {
  const row = h("div", { class: "carousel", tabindex: cards.length > 1 ? "0" : undefined, role: "group", "aria-label": "Cards" }, cards);
  const words = intro ? h("p", { class: "bubble" }, intro) : "";
  if (cards.length < 2) return intro ? h("div", { class: "stacked" }, words, row) : row;
  const place = h("span", {}, `1 of ${cards.length}`);
  row.addEventListener("scroll", () => {
    const width = (row.scrollWidth - row.clientWidth) || 1;
    place.textContent = `${Math.round(row.scrollLeft / width * (cards.length - 1)) + 1} of ${cards.length}`;
  });
  const step = (by) => () => row.scrollBy({ left: by * 260, behavior: "smooth" });
  return h("div", { class: "stacked wide" }, words, h("div", { class: "carousel-frame" }, row,
    h("button", { type: "button", class: "arrow left", "aria-label": "Earlier cards", onclick: step(-1) }, icon("m14.5 6-6 6 6 6")),
    h("button", { type: "button", class: "arrow right", "aria-label": "Later cards", onclick: step(1) }, icon("m9.5 6 6 6-6 6"))), h("p", { class: "cards-place", "aria-hidden": "true" }, place, h("span", { class: "swipe" }, " · swipe for more")));
}

function card(e, ratio, ctx) {
  const target = webURL(e.default_action?.url);
  const body = [
    e.image_url ? h("img", { class: "card-image " + (ratio === "square" ? "square" : ""), src: pictureURL(e.image_url), alt: "", loading: "lazy" }) : "",
    h("div", { class: "card-words" }, h("p", { class: "card-title" }, e.title ?? ""), e.subtitle ? h("p", { class: "card-subtitle" }, e.subtitle) : ""),
  ];
  return h("div", { class: "card" },
    target ? h("a", { class: "card-link", href: target, target: "_blank", rel: "noopener noreferrer" }, body) : body,
    buttons(e.buttons, ctx));
}

function list(payload, ctx) {
  const large = payload.top_element_style !== "compact";
  return h("div", { class: "card list" }, (payload.elements ?? []).map((e, i) => h("div", { class: "list-row" + (large && i === 0 ? " cover" : "") },
    h("div", { class: "list-words" },
      h("p", { class: "card-title" }, e.title ?? ""), e.subtitle ? h("p", { class: "card-subtitle" }, e.subtitle) : "",
      buttons(e.buttons, ctx)),
    e.image_url ? h("img", { src: pictureURL(e.image_url), alt: "", loading: "lazy" }) : "")),
  buttons(payload.buttons, ctx));
}

function openGraph(e, ctx) {
  const href = webURL(e.url);
  return h("div", { class: "card" },
    h("a", { class: "card-link", href, target: "_blank", rel: "noopener noreferrer" },
      h("div", { class: "card-words" }, h("p", { class: "card-title" }, href ? new URL(href).hostname : "Link"), h("p", { class: "card-subtitle" }, e.url ?? ""))),
    buttons(e.buttons, ctx));
}

function notification(payload, ctx) {
  const again = payload.template_type === "notification_messages";
  const known = ctx.person?.asked?.includes(ctx.message.mid);
  return h("div", { class: "card" },
    payload.image_url ? h("img", { class: "card-image", src: pictureURL(payload.image_url), alt: "" }) : "",
    h("div", { class: "card-words" }, h("p", { class: "card-title" }, payload.title ?? "Stay up to date"),
      h("p", { class: "card-subtitle" }, again ? "The page may send you marketing messages." : "The page may send you one message about this.")),
    h("div", { class: "buttons" },
      h("button", { type: "button", disabled: known, onclick: () => ctx.act({ notify: { mid: ctx.message.mid } }) }, again ? "Get messages" : "Notify me"),
      again ? h("button", { type: "button", onclick: () => ctx.act({ notify: { mid: ctx.message.mid, stop: true } }) }, "Stop messages") : ""));
}

export function buttons(listed, ctx) {
  if (!listed?.length) return "";
  return h("div", { class: "buttons" }, listed.map((b) => button(b, ctx)));
}

function button(b, { act, page, person }) {
  const link = (href, text) => h("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
  switch (b.type) {
    case "postback":
      return h("button", { type: "button", onclick: () => act({ postback: { title: b.title, payload: b.payload } }) }, b.title);
    case "web_url": return link(webURL(b.url), b.title ?? "");
    case "phone_number": return h("a", { href: "tel:" + String(b.payload ?? "").replace(/[^+\d]/g, "") }, b.title ?? "");
    case "account_link":
      return link(`/_emu/login/${encodeURIComponent(page?.id)}/${encodeURIComponent(person?.id)}?url=${encodeURIComponent(b.url ?? "")}`, "Log in");
    case "account_unlink": return h("button", { type: "button", onclick: () => act({ account: { unlink: true } }) }, "Log out");
    case "game_play":
      return h("button", { type: "button", onclick: () => act({ game: { game_id: "1", player_id: person?.id, context_type: "THREAD", context_id: page?.id, score: 100, payload: b.payload } }) }, b.title ?? "Play");
    case "payment":
      return h("button", { type: "button", onclick: () => act({ payment: { step: "payment", payload: b.payload, currency: b.payment_summary?.currency ?? "USD", amount: Number(b.payment_summary?.price_list?.[0]?.amount ?? 0) } }) }, b.title ?? "Buy");
  }
  return h("button", { type: "button", disabled: true }, b.title ?? b.type);
}

function media(e) {
  const src = webURL(e.url) ?? pictureURL(e.url);
  if (!src) return h("p", { class: "card-text faint" }, (e.media_type === "video" ? "Video" : "Picture") + (e.attachment_id ? " " + e.attachment_id : ""));
  return e.media_type === "video" ? h("video", { src, controls: true }) : h("img", { class: "card-image", src, alt: "" });
}
