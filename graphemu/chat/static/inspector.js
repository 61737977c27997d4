// The inspector: every webhook and every API call, newest first.

import { $, h, joined } from "./dom.js";
import * as api from "./api.js";

const most = 300; // how many records the page keeps

let filter = "all";
let records = [];
let last = { webhook: 0, call: 0 };

export function startInspector() {
  for (const b of document.querySelectorAll("[data-filter]")) {
    b.addEventListener("click", () => {
      filter = b.dataset.filter;
      document.querySelectorAll("[data-filter]").forEach((o) => o.setAttribute("aria-pressed", String(o === b)));
      render();
    });
  }
  $("records-search").addEventListener("input", render);
  render();
}

export function clearRecords() {
  records = [];
  last = { webhook: 0, call: 0 };
  $("records").replaceChildren();
}

// loadRecords asks for what is new.
export const loadRecords = joined(async () => {
  const since = last;
  const [w, c] = await Promise.all([api.webhooks(since.webhook), api.calls(since.call)]);
  if (last !== since) return; // cleared meanwhile
  last = { webhook: w.last, call: c.last };
  const fresh = [
    ...w.webhooks.map((r) => ({ kind: "webhook", r })),
    ...c.calls.map((r) => ({ kind: "call", r })),
  ].sort((a, b) => (a.r.time < b.r.time ? 1 : -1));
  if (!fresh.length) return;
  records = [...fresh, ...records].slice(0, most);
  render();
});

const nodes = new WeakMap();

function render() {
  const words = $("records-search").value.trim().toLowerCase();
  const wanted = records.filter((x) => (filter === "all" || x.kind === filter) && (!words || JSON.stringify(x.r).toLowerCase().includes(words)));
  if (!wanted.length) {
    $("records").replaceChildren(h("p", { class: "empty" }, "Nothing yet. Write a message: the webhook to your program and every call of the API show up here."));
    return;
  }
  $("records").replaceChildren(...wanted.map((x) => {
    if (!nodes.has(x)) nodes.set(x, x.kind === "webhook" ? webhook(x.r) : call(x.r));
    return nodes.get(x);
  }));
}

function webhook(r) {
  const about = r.field === "verification" ? "GET" : "POST";
  const extra = r.attempt > 1 ? ` · attempt ${r.attempt}` : "";
  return record("webhook", "Webhook", r.field + extra + (r.events ? ` · ${r.events} events` : ""), r.answer?.status, r.ok, r,
    line(about, r.request.url),
    headers(r.request.headers),
    block("Body", r.request.body),
    r.answer ? block(`Answer ${r.answer.status}`, r.answer.body || "(empty)") : block("No answer", r.error || ""),
    r.exhausted ? h("p", { class: "faint" }, "No further attempt.") : r.retry_in_ms !== undefined ? h("p", { class: "faint" }, `Next attempt in ${r.retry_in_ms} ms.`) : "");
}

function call(r) {
  const ok = r.status >= 200 && r.status < 300;
  return record("call", r.method, r.path.replace(/^\/v\d+\.\d+/, "") + (r.fault ? " · fault" : ""), r.status || "dropped", ok, r,
    line(r.method, r.path + (r.query ? "?" + r.query : "")),
    r.token ? line("Token", r.token) : "",
    r.body ? block("Body", r.body) : "",
    block(`Answer ${r.status || "dropped"}`, r.answer || "(empty)"));
}

function record(kind, tag, title, status, ok, r, ...details) {
  const time = new Date(r.time).toLocaleTimeString([], { hour12: false }) + "." + String(new Date(r.time).getMilliseconds()).padStart(3, "0");
  const body = h("div", { class: "details" });
  const el = h("details", { class: "record " + kind, dataset: { kind } },
    h("summary", {},
      h("span", { class: "tag" }, tag),
      h("span", { class: "title" }, title),
      h("span", { class: "status " + (ok ? "ok" : "bad") }, String(status ?? "no answer")),
      h("span", { class: "when" }, time, h("b", {}, r.duration_ms.toFixed(1) + " ms"))),
    body);
  // The details are made when somebody looks.
  el.addEventListener("toggle", () => { if (el.open && !body.firstChild) body.append(...details.filter(Boolean)); });
  return el;
}

const line = (name, value) => h("p", { class: "line" }, h("b", {}, name), " ", h("code", {}, value));

function headers(map) {
  if (!map) return "";
  return h("dl", {}, Object.entries(map).sort().flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)]));
}

function block(name, text) {
  return h("figure", {}, h("figcaption", {}, name), h("pre", { tabindex: "0" }, pretty(text)));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
