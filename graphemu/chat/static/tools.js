// The tools beside the conversation: links and codes, faults, the clock.

import { $, h, toast } from "./dom.js";
import * as api from "./api.js";

let now = { page: undefined, person: undefined, act: () => {} };
let shownFor = "";

export function startTools() {
  const tabs = [...document.querySelectorAll("[data-tool]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab.dataset.tool));
    tab.addEventListener("keydown", (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!step) return;
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      choose(next.dataset.tool);
      next.focus();
    });
  }
  faultPanel();
  clockPanel();
}

export function choose(name) {
  for (const tab of document.querySelectorAll("[data-tool]")) {
    const on = tab.dataset.tool === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    $("tool-" + tab.dataset.tool).hidden = !on;
  }
  toolsChanged();
}

// renderTools shows the tools for another page or person.
export function renderTools(state) {
  now = state;
  const key = JSON.stringify([state.page?.id, state.person?.id, state.page?.posts]);
  if (key !== shownFor) {
    shownFor = key;
    linkPanel();
  }
}

async function attempt(f) {
  try {
    return await f();
  } catch (err) {
    toast(err.message);
    return undefined;
  }
}

const field = (label, input) => h("label", { class: "field" }, label, input);
const button = (text, onclick, kind) => h("button", { type: "button", class: kind ?? "act", onclick }, text);

function linkPanel() {
  const { page, person } = now;
  if (!page || !person) return;
  const ref = h("input", { value: "poster-42", maxlength: "2083", spellcheck: "false" });
  const link = h("code", { class: "link" });
  const picture = h("img", { class: "code-image", alt: "Code of the link" });
  const show = () => {
    const path = `/m.me/${page.id}${ref.value ? "?ref=" + encodeURIComponent(ref.value) : ""}`;
    link.textContent = location.origin + path;
    picture.src = `/_emu/links/${page.id}.png${ref.value ? "?ref=" + encodeURIComponent(ref.value) : ""}`;
  };
  ref.addEventListener("input", show);
  show();
  const enter = (source) => button(source.text, () => now.act({ referral: { source: source.id, ref: ref.value, ad_id: source.id === "ADS" ? "6045246247433" : undefined } }));
  const picker = (id, text, capture) => {
    const file = h("input", { type: "file", accept: "image/png,image/jpeg,image/gif", capture, class: "visually-hidden", id });
    file.addEventListener("change", async () => {
      const image = await base64(file.files[0]);
      file.value = "";
      now.act({ scan: { image } });
    });
    return [h("label", { class: "act", for: id, tabindex: "0", onkeydown: (e) => { if (e.key === "Enter" || e.key === " ") file.click(); } }, text), file];
  };
  const comment = h("input", { placeholder: "A comment on the page", maxlength: "500" });
  $("tool-links").replaceChildren(
    h("h3", {}, "A link or a code with a ref"),
    field("Ref", ref), link, picture,
    h("div", { class: "row-buttons" }, button("Follow the link", () => now.act({ link: { url: link.textContent } }), "primary"),
      button("Copy the link", () => attempt(() => navigator.clipboard.writeText(link.textContent))),
      h("a", { class: "act", href: picture.src, download: "code.png", onclick: (e) => { e.currentTarget.href = picture.src; } }, "Save the code")),
    h("h3", {}, "Other ways in"),
    h("div", { class: "row-buttons" }, [{ id: "ADS", text: "An ad" }, { id: "DISCOVER_TAB", text: "The Discover tab" }, { id: "CUSTOMER_CHAT_PLUGIN", text: "A website's chat" }].map(enter),
      button("Send to Messenger button", () => now.act({ optin: { ref: ref.value } })),
      button("Checkbox of a website", () => now.act({ optin: { ref: ref.value, user_ref: "box-" + Date.now() } }))),
    h("h3", {}, "Scan a code"),
    h("p", { class: "faint" }, "A picture of a code, from a file or the camera."),
    h("div", { class: "row-buttons" }, picker("scan-file", "Choose a picture"), picker("scan-camera", "Use the camera", "environment")),
    h("h3", {}, "On the page itself"),
    field("Comment", comment),
    h("div", { class: "row-buttons" }, button("Write it on the page", () => comment.value && now.act({ comment: { text: comment.value } }))),
    ...(page.posts ?? []).slice(-5).map((p) => h("p", { class: "faint" }, h("code", {}, p.id), " ", p.text)),
    h("h3", {}, person.first_name),
    h("div", { class: "row-buttons" },
      toggle("Blocks the page", person.blocks, (on) => api.setPerson(page.id, person.id, { blocks: on })),
      toggle("Is offline", person.offline, (on) => api.setPerson(page.id, person.id, { offline: on })),
      button("Reports the page", () => now.act({ report: "spam" }))),
  );
}

function toggle(text, on, set) {
  const box = h("input", { type: "checkbox", checked: on });
  box.addEventListener("change", () => attempt(() => set(box.checked)));
  return h("label", { class: "act check" }, box, text);
}

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

const ready = [
  ["Too many calls (613)", { endpoint: "messages", times: 3, code: 613 }],
  ["Person not available (551)", { endpoint: "messages", times: 1, code: 551, subcode: 1545041 }],
  ["Token expired (190)", { endpoint: "messages", times: 1, code: 190, subcode: 463 }],
  ["Temporary failure (500)", { endpoint: "messages", times: 2, code: 2, status: 500 }],
  ["Answer lost after the effect", { endpoint: "messages", times: 1, drop_response: true }],
  ["Connection reset", { endpoint: "messages", times: 1, reset: true }],
  ["Slow: 2 s and up to 1 s more", { endpoint: "messages", delay_ms: 2000, jitter_ms: 1000 }],
  ["Every third call fails", { endpoint: "messages", probability: 0.33, seed: 1, code: 1200 }],
  ["Webhooks twice", { endpoint: "webhooks", webhook_duplicate: true }],
  ["Webhooks swapped", { endpoint: "webhooks", webhook_swap: true }],
  ["Webhooks 10 s late", { endpoint: "webhooks", webhook_delay_ms: 10000 }],
];

let drawFaults = () => {};

function faultPanel() {
  const listed = h("ul", { class: "rules" });
  const text = h("textarea", { rows: "6", spellcheck: "false", "aria-label": "A rule as JSON" });
  const choice = h("select", {}, ready.map(([name], i) => h("option", { value: i }, name)));
  const fill = () => { text.value = JSON.stringify(ready[choice.value][1], null, 1); };
  choice.addEventListener("change", fill);
  drawFaults = async () => {
    const rules = await attempt(api.faults);
    if (!rules) return;
    listed.replaceChildren(...rules.map((rule, i) => h("li", {}, h("code", {}, JSON.stringify(rule)),
      button("Remove", () => attempt(async () => { await api.setFaults(rules.toSpliced(i, 1)); drawFaults(); })))));
    if (!rules.length) listed.replaceChildren(h("li", { class: "faint" }, "No rule: nothing fails unless you ask for it."));
  };
  $("tool-faults").append(
    h("h3", {}, "Rules in force"), listed,
    h("h3", {}, "A new rule"), field("Kind", choice), text,
    h("div", { class: "row-buttons" },
      button("Add the rule", () => attempt(async () => { await api.setFaults([...(await api.faults()), ruleOf(text.value)]); drawFaults(); }), "primary"),
      button("Remove all", () => attempt(async () => { await api.setFaults([]); drawFaults(); }))),
    h("p", { class: "faint" }, "A message with [[fault code=613]] in its text asks for a fault of its own, and so does a call with the header X-Emulator-Fault."),
  );
  fill();
}

// ruleOf reads a rule; what is wrong with it is said in words.
function ruleOf(text) {
  let rule;
  try {
    rule = JSON.parse(text);
  } catch (err) {
    throw new Error("The rule is not JSON yet: " + err.message + '. It looks like {"endpoint": "messages", "code": 613}.');
  }
  if (rule === null || typeof rule !== "object" || Array.isArray(rule)) throw new Error('A rule is one object, such as {"endpoint": "messages", "code": 613}.');
  return rule;
}

let drawClock = () => {};

function clockPanel() {
  const shown = h("p", { class: "clock-now", role: "timer" });
  const rules = h("p", { class: "faint" });
  const date = h("input", { type: "datetime-local", "aria-label": "Date and time (UTC)" });
  const move = (by) => () => attempt(async () => { await api.advance(by); drawClock(); });
  drawClock = async () => {
    const c = await attempt(api.clock);
    if (!c) return;
    shown.textContent = c.now.slice(0, 19).replace("T", " ") + " UTC";
    rules.textContent = c.dated ? "The rules and the rate limits of this day hold for every version of the Graph API." : "The version of the Graph API in a call chooses the rules.";
    if (!date.value) date.value = c.now.slice(0, 16);
  };
  $("tool-clock").append(
    h("h3", {}, "The platform's clock"), shown, rules,
    h("h3", {}, "Let time pass"),
    h("div", { class: "row-buttons" }, [["1 minute", "1m"], ["20 minutes", "20m"], ["1 hour", "1h"], ["23 hours", "23h"], ["25 hours", "25h"], ["7 days", "168h"], ["90 days", "2160h"]].map(([text, by]) => button(text, move(by)))),
    h("h3", {}, "Another day"),
    field("Date and time (UTC)", date),
    h("div", { class: "row-buttons" },
      button("Set the clock", () => attempt(async () => { if (!date.value) throw new Error("Choose a date and a time first."); await api.setClock(date.value + ":00Z"); drawClock(); }), "primary"),
      button("Back to now", () => attempt(async () => { await api.resetClock(); date.value = ""; drawClock(); }))),
    h("h3", {}, "Begin anew"),
    h("div", { class: "row-buttons" }, button("Empty all threads and records", () => $("reset-dialog").showModal())),
  );
  const sure = $("reset-dialog");
  sure.querySelector("[data-close]").addEventListener("click", () => sure.close());
  sure.querySelector("form").addEventListener("submit", () => attempt(api.reset));
}

// toolsChanged draws what is open again.
export function toolsChanged() {
  if (!$("tool-faults").hidden) drawFaults();
  if (!$("tool-clock").hidden) drawClock();
}
