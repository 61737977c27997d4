// What shops send: receipts, coupons, products, questions how it was.

import { h, pictureURL, webURL, toast } from "./dom.js";

export function receipt(r) {
  const money = (n) => (n === undefined ? "" : Number(n).toFixed(2) + " " + (r.currency ?? ""));
  const row = (name, value, strong) => h("div", { class: "receipt-row" + (strong ? " strong" : "") }, h("span", {}, name), h("span", {}, value));
  const a = r.address;
  const order = webURL(r.order_url);
  return h("div", { class: "card receipt" },
    h("p", { class: "card-title" }, order ? h("a", { href: order, target: "_blank", rel: "noopener noreferrer" }, "Order " + (r.order_number ?? "")) : "Order " + (r.order_number ?? "")),
    h("p", { class: "card-subtitle" }, [r.merchant_name, r.recipient_name].filter(Boolean).join(" · ")),
    (r.elements ?? []).map((e) => h("div", { class: "receipt-item" },
      e.image_url ? h("img", { src: pictureURL(e.image_url), alt: "", loading: "lazy" }) : "",
      h("span", {}, (e.quantity ? e.quantity + " × " : "") + e.title, e.subtitle ? h("small", {}, e.subtitle) : ""), h("span", {}, money(e.price)))),
    row("Subtotal", money(r.summary?.subtotal)),
    (r.adjustments ?? []).map((x) => row(x.name, money(-x.amount))),
    r.summary?.shipping_cost !== undefined ? row("Shipping", money(r.summary.shipping_cost)) : "",
    r.summary?.total_tax !== undefined ? row("Tax", money(r.summary.total_tax)) : "",
    row("Total", money(r.summary?.total_cost), true),
    row("Paid with", r.payment_method ?? ""),
    a ? h("p", { class: "card-subtitle" }, "Ships to " + [a.street_1, a.street_2, a.city, a.state, a.postal_code, a.country].filter(Boolean).join(", ")) : "");
}

export function coupon(c, ctx) {
  return h("div", { class: "card coupon" },
    c.image_url ? h("img", { class: "card-image", src: pictureURL(c.image_url), alt: "" }) : "",
    h("div", { class: "card-words" }, h("p", { class: "card-title" }, c.title ?? ""), c.subtitle ? h("p", { class: "card-subtitle" }, c.subtitle) : "",
      c.coupon_code ? h("p", { class: "code" }, c.coupon_code) : "", c.coupon_url_button_title ? h("p", { class: "card-subtitle" }, "Valid in the shop") : ""),
    h("div", { class: "buttons" },
      c.coupon_pre_message !== undefined || !c.coupon_code
        ? h("button", { type: "button", onclick: () => ctx.act({ postback: { title: "Show code", payload: c.payload ?? "" } }) }, "Show code") : "",
      c.coupon_url ? h("a", { href: webURL(c.coupon_url), target: "_blank", rel: "noopener noreferrer" }, c.coupon_url_button_title ?? "Use it") : ""));
}

export function product(p) {
  return h("div", { class: "card" },
    p.image_url ? h("img", { class: "card-image square", src: pictureURL(p.image_url), alt: "" }) : h("div", { class: "card-image square empty-image" }, "Product"),
    h("div", { class: "card-words" }, h("p", { class: "card-title" }, p.title ?? "Product " + (p.id ?? "")), h("p", { class: "card-subtitle" }, p.subtitle ?? "From the catalog")));
}

const faces = ["😡", "🙁", "😐", "🙂", "😍"];

// feedback is a form with one question for each screen.
export function feedback(p, ctx) {
  const answers = {}, follow = {};
  const questions = (p.feedback_screens ?? []).flatMap((s) => s.questions ?? []);
  return h("div", { class: "card feedback" },
    h("div", { class: "card-words" }, h("p", { class: "card-title" }, p.title ?? ""), p.subtitle ? h("p", { class: "card-subtitle" }, p.subtitle) : "",
      questions.map((q) => h("fieldset", {}, h("legend", {}, q.title ?? { csat: "How content are you?", nps: "Would you recommend us?", ces: "How easy was it?" }[q.type] ?? "Your answer"),
        h("div", { class: "scale" }, scale(q).map(([value, label]) => h("label", {},
          h("input", { type: "radio", name: ctx.message.mid + q.id, value, onchange: () => { answers[q.id] = value; } }), h("span", {}, label)))),
        q.follow_up ? h("input", { type: "text", "aria-label": "Anything to add?", placeholder: q.follow_up.placeholder ?? "Anything to add?", oninput: (e) => { follow[q.id] = e.target.value; } }) : ""))),
    h("div", { class: "buttons" }, h("button", { type: "button",
      onclick: () => (Object.keys(answers).length ? ctx.act({ feedback: { mid: ctx.message.mid, answers, follow_up: follow } }) : toast("Choose an answer first.")) }, p.button_title ?? "Send")));
}

function scale(q) {
  if (q.type === "nps") return Array.from({ length: 11 }, (_, i) => [String(i), String(i)]);
  const n = q.score_option === "five_stars" ? 5 : q.type === "ces" ? 7 : 5;
  return Array.from({ length: n }, (_, i) => [String(i + 1), n === 5 && q.score_option !== "five_stars" ? faces[i] : q.score_option === "five_stars" ? "★".repeat(i + 1) : String(i + 1)]);
}
