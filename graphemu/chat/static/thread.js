// The conversation: messages, typing, quick replies, what a newcomer sees.

import { $, h, avatar, dayAndClock } from "./dom.js";
import { renderMessage } from "./message.js";

const far = 15 * 60 * 1000; // a gap after which the time is shown

let shown = { key: "", rows: new Map() };

// The thread stays at its end while what is around it or in it grows: quick
// replies, the keyboard of a phone, pictures that arrive.
let atEnd = true;
const toEnd = () => { if (atEnd) $("thread").scrollTop = $("thread").scrollHeight; };

export function startThread() {
  const box = $("thread");
  box.addEventListener("scroll", () => { atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 120; });
  box.addEventListener("load", toEnd, true);
  new ResizeObserver(toEnd).observe(box);
}

// renderThread shows a thread; rows that did not change stay as they are, so
// that focus, scrolling and playing media survive.
export function renderThread(page, person, thread, { act, reply, side }) {
  const box = $("thread");
  const key = page.id + "/" + person.id + "/" + side;
  if (shown.key !== key) atEnd = true;
  const old = shown.key === key ? shown.rows : new Map();
  const rows = new Map();
  const nodes = [];
  const messages = thread.messages;
  const lastSeen = messages.findLast((m) => m.from === side && m.read_at)?.mid;
  const ctx = { page, person, side, act, reply, byMID: new Map(messages.map((m) => [m.mid, m])) };
  messages.forEach((m, i) => {
    const before = messages[i - 1];
    const gap = !before || new Date(m.sent_at) - new Date(before.sent_at) > far;
    if (gap) nodes.push(h("div", { class: "time" }, dayAndClock(m.sent_at)));
    const place = { first: gap || !joins(before, m), last: !joins(m, messages[i + 1]), seen: m.mid === lastSeen };
    const state = JSON.stringify([m, place, page.picture, page.personas]);
    const known = old.get(m.mid);
    const node = known?.state === state ? known.node : renderMessage(m, place, ctx);
    rows.set(m.mid, { state, node });
    nodes.push(node);
  });
  if (thread.typing && side === "person") nodes.push(typing(page, page.personas?.find((p) => p.id === thread.typing_as)));
  box.replaceChildren(h("div", { class: "spring" }), ...nodes);
  shown = { key, rows };
  renderQuickReplies(side === "person" ? messages : [], act);
  renderWelcome(page, person, thread, act, side);
  toEnd();
}

function joins(a, b) {
  return Boolean(a && b) && a.from === b.from && a.persona_id === b.persona_id && !a.note && !b.note && new Date(b.sent_at) - new Date(a.sent_at) < far;
}

function typing(page, persona) {
  return h("div", { class: "row theirs last typing", role: "status", "aria-label": (persona?.name ?? page.name) + " is typing" },
    avatar(persona?.profile_picture_url ?? page.picture, "small"), h("p", { class: "bubble" }, h("i"), h("i"), h("i")));
}

// Quick replies are there until anything follows.
function renderQuickReplies(messages, act) {
  const last = messages.at(-1);
  const list = last?.from === "page" ? last.message?.quick_replies ?? [] : [];
  const filled = { user_phone_number: "+15550100100", user_email: "ana@example.com" };
  $("quick-replies").replaceChildren(...list.map((q) => {
    if (q.content_type === "location") return h("button", { type: "button", class: "chip", onclick: () => act({ location: { lat: -13.5319, long: -71.9675 } }) }, "📍 Send location");
    const title = q.title || filled[q.content_type] || "";
    const payload = q.payload || filled[q.content_type] || "";
    return h("button", { type: "button", class: "chip", onclick: () => act({ quick_reply: { title, payload } }) },
      q.image_url ? avatar(q.image_url, "mini") : "", title);
  }));
}

// renderWelcome is what a person without a thread sees in place of the composer.
function renderWelcome(page, person, thread, act, side) {
  const button = page.profile.get_started;
  const show = !thread.open && Boolean(button) && side === "person";
  $("composer").hidden = show;
  const box = $("welcome");
  box.hidden = thread.open || side !== "person";
  if (box.hidden) return box.replaceChildren();
  if (person.request) {
    return box.replaceChildren(avatar(page.picture, "large"), h("h3", {}, page.name), h("p", {}, "This page found you by your phone number and asks to write to you."),
      h("button", { type: "button", class: "primary wide", onclick: () => act({ accept: true }) }, "Accept"));
  }
  const greeting = (page.profile.greeting ?? []).find((g) => g.locale === person.locale) ??
    (page.profile.greeting ?? []).find((g) => g.locale === "default");
  const questions = (page.profile.ice_breakers ?? []).flatMap((b) => b.call_to_actions ?? [b]).filter((b) => b.question).slice(0, 4);
  box.replaceChildren(
    avatar(page.picture, "large"),
    h("h3", {}, page.name),
    h("p", {}, greeting ? filledIn(greeting.text, person) : `${person.first_name} has never written to this page.`),
    questions.length ? h("div", { class: "questions" }, questions.map((q) => h("button", {
      type: "button", class: "chip", onclick: () => act({ postback: { title: q.question, payload: q.payload } }),
    }, q.question))) : "",
    button ? h("button", { type: "button", class: "primary wide", id: "get-started", onclick: () => act({ get_started: true }) }, "Get Started")
      : h("p", { class: "faint" }, "The page has no Get Started button; a first message begins the thread."));
}

function filledIn(text, person) {
  return text
    .replaceAll("{{user_first_name}}", person.first_name)
    .replaceAll("{{user_last_name}}", person.last_name ?? "")
    .replaceAll("{{user_full_name}}", [person.first_name, person.last_name].filter(Boolean).join(" "));
}
