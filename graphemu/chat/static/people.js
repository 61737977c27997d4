// The list of the people to be, by page.

import { $, h, avatar, dayAndClock } from "./dom.js";

export function renderPeople(pages, current, pick) {
  const focused = document.activeElement?.dataset?.psid;
  $("people").replaceChildren(...pages.map((page) => h("section", { "aria-label": page.name },
    h("h2", { class: "page-row" }, avatar(page.picture, "tiny"), page.name),
    h("ul", {}, latestFirst(page.people).map((p) => h("li", {}, personRow(page, p, current, pick)))),
  )));
  if (focused) document.querySelector(`#people [data-psid="${CSS.escape(focused)}"]`)?.focus();
}

function personRow(page, p, current, pick) {
  const chosen = current.page === page.id && current.person === p.id;
  return h("button", {
    type: "button", class: "person", "aria-current": chosen ? "true" : undefined,
    dataset: { psid: p.id }, onclick: () => pick(page.id, p.id),
  },
  avatar(p.picture),
  h("span", { class: "lines" },
    h("span", { class: "name" }, [p.first_name, p.last_name].filter(Boolean).join(" ")),
    h("span", { class: "preview" }, h("span", {}, preview(p)), p.last ? h("time", { datetime: p.last.sent_at }, dayAndClock(p.last.sent_at)) : ""),
  ),
  p.unread && !chosen ? h("span", { class: "unread", "aria-label": p.unread + " unread" }, String(p.unread)) : "");
}

function preview(p) {
  const m = p.last;
  if (!m) return p.open ? "No messages yet" : "Has never written";
  if (m.note) return "Followed a link";
  const text = m.text || kindOf(m.message);
  return (m.from === "person" ? "You: " : "") + text;
}

// latestFirst sorts people by their last message; who has none comes last.
function latestFirst(people) {
  const at = (p) => (p.last ? Date.parse(p.last.sent_at) : 0);
  return people.toSorted((a, b) => at(b) - at(a));
}

function kindOf(message) {
  const a = message?.attachment ?? message?.attachments?.[0];
  if (!a) return "Message";
  if (a.type === "template") return a.payload?.text || a.payload?.elements?.[0]?.title || "Card";
  return { image: "Picture", video: "Video", audio: "Audio", file: "File" }[a.type] ?? "Attachment";
}
