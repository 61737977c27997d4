// What airlines send: boarding pass, check-in, itinerary, update.

import { h, webURL, pictureURL } from "./dom.js";

const when = (text) => {
  const m = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(text ?? "");
  if (!m) return text ?? "";
  return `${Number(m[3])} ${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][m[2] - 1]} ${m[4]}`;
};

const pair = (name, value) => (value ? h("div", { class: "pair" }, h("dt", {}, name), h("dd", {}, value)) : "");
const pairs = (...list) => h("dl", { class: "pairs" }, list);

// route is a flight from one airport to the other, as large letters.
function route(f) {
  const from = f?.departure_airport ?? {}, to = f?.arrival_airport ?? {};
  return h("div", { class: "route" },
    h("div", {}, h("b", {}, from.airport_code ?? "?"), h("span", {}, from.city ?? "")),
    h("i", { class: "plane", "aria-label": "to" }, "✈"),
    h("div", {}, h("b", {}, to.airport_code ?? "?"), h("span", {}, to.city ?? "")));
}

function times(f) {
  const s = f?.flight_schedule ?? {};
  return pairs(pair("Flight", f?.flight_number), pair("Boards", when(s.boarding_time)), pair("Departs", when(s.departure_time)), pair("Arrives", when(s.arrival_time)),
    pair("Terminal", f?.departure_airport?.terminal), pair("Gate", f?.departure_airport?.gate));
}

function airlineCard(kind, payload, ...body) {
  const colour = /^#[0-9a-f]{6}$/i.test(payload.theme_color ?? "") ? payload.theme_color : undefined;
  const card = h("div", { class: "card airline" }, h("p", { class: "strip" }, kind), body);
  if (colour) card.style.setProperty("--strip", colour);
  return card;
}

const withIntro = (intro, card) => h("div", { class: "stacked" }, intro ? h("p", { class: "bubble" }, intro) : "", card);

export function boardingPass(p) {
  const code = p.barcode_image_url ? h("img", { class: "barcode", src: pictureURL(p.barcode_image_url), alt: "Bar code" })
    : p.qr_code ? h("img", { class: "barcode", src: "/_emu/qr.png?text=" + encodeURIComponent(p.qr_code), alt: "Code of the boarding pass" }) : "";
  return airlineCard("Boarding pass", p,
    p.logo_image_url ? h("img", { class: "logo", src: pictureURL(p.logo_image_url), alt: "" }) : "",
    route(p.flight_info),
    h("p", { class: "card-title passenger" }, p.passenger_name ?? ""),
    times(p.flight_info),
    pairs(pair("Booking", p.pnr_number), pair("Class", p.travel_class), pair("Seat", p.seat), (p.auxiliary_fields ?? []).map((f) => pair(f.label, f.value)),
      (p.secondary_fields ?? []).map((f) => pair(f.label, f.value))),
    code);
}

export function checkIn(p) {
  const href = webURL(p.checkin_url);
  return withIntro(p.intro_message, airlineCard("Check-in", p, (p.flight_info ?? []).map((f) => [route(f), times(f)]), pairs(pair("Booking", p.pnr_number)),
    h("div", { class: "buttons" }, h("a", { href, target: "_blank", rel: "noopener noreferrer" }, "Check in"))));
}

export function itinerary(p) {
  const money = (n) => (n ? `${n} ${p.currency ?? ""}` : "");
  return withIntro(p.intro_message, airlineCard("Itinerary", p,
    (p.passenger_info ?? []).map((x) => h("p", { class: "card-title passenger" }, x.name)),
    (p.flight_info ?? []).map((f) => [route(f), times(f), pairs(pair("Class", f.travel_class), pair("Aircraft", f.aircraft_type),
      (p.passenger_segment_info ?? []).filter((s) => s.segment_id === f.segment_id).map((s) => pair("Seat", s.seat)))]),
    pairs(pair("Booking", p.pnr_number), pair("Base price", money(p.base_price)), (p.price_info ?? []).map((x) => pair(x.title, money(x.amount))), pair("Tax", money(p.tax))),
    h("p", { class: "receipt-row strong" }, h("span", {}, "Total"), h("span", {}, money(p.total_price)))));
}

export function flightUpdate(p) {
  const words = { delay: "Flight delayed", gate_change: "Gate changed", cancellation: "Flight cancelled" }[p.update_type] ?? "Flight update";
  return withIntro(p.intro_message, airlineCard(words, p, route(p.update_flight_info), times(p.update_flight_info), pairs(pair("Booking", p.pnr_number))));
}
