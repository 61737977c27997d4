// The chat page of the emulator: who you are, what you see, what you do.

import { $, h, joined, toast, pictureURL } from "./dom.js";
import * as api from "./api.js";
import { renderPeople } from "./people.js";
import { renderThread, startThread } from "./thread.js";
import { startTools, renderTools, toolsChanged } from "./tools.js";
import { clearRecords, loadRecords, startInspector } from "./inspector.js";

let pages = [];
let current = { page: "", person: "" };
let typingTimer;
let side = "person"; // or page: a human agent in the inbox
let answering = null; // the message that the next text answers

const page = () => pages.find((p) => p.id === current.page);
const person = () => page()?.people.find((p) => p.id === current.person);

// act does something as the current person and shows what is wrong with it.
async function act(action) {
  try {
    await api.act(current.page, current.person, action);
  } catch (err) {
    toast(err.message);
  }
}

// asPage does something as a human agent of the page.
async function asPage(what) {
  try {
    await api.inbox(current.page, current.person, what);
  } catch (err) {
    toast(err.message);
  }
}

const loadPages = joined(async () => {
  pages = await api.pages();
  if (!person()) choose();
  renderPeople(pages, current, pick);
  renderHead();
  renderTools({ page: page(), person: person(), pages, act });
});

// choose picks the person that the address names, or the first.
function choose() {
  const [pageID, psid] = decodeURIComponent(location.hash.slice(1)).split("/");
  const wanted = new URLSearchParams(location.search).get("page") ?? pageID;
  const found = pages.find((p) => p.id === wanted && p.people.length) ?? pages.find((p) => p.people.length);
  current = { page: found?.id ?? "", person: (found?.people.find((p) => p.id === psid) ?? found?.people[0])?.id ?? "" };
}

function pick(pageID, psid) {
  current = { page: pageID, person: psid };
  reply(null);
  renderTools({ page: page(), person: person(), pages, act });
  history.replaceState(null, "", "#" + pageID + "/" + psid);
  show("chat");
  renderPeople(pages, current, pick);
  renderHead();
  loadThread();
  if (matchMedia("(min-width: 800px)").matches) $("text").focus();
}

function renderHead() {
  const p = page(), who = person();
  $("page-picture").hidden = !p;
  if (!p || !who) return;
  $("page-picture").src = pictureURL(p.picture) ?? "";
  $("page-name").textContent = p.name;
  const name = [who.first_name, who.last_name].filter(Boolean).join(" ");
  $("as-person").textContent = side === "person" ? "You are " + name : "You are the page; " + name + " writes";
  document.title = p.name + " · Messenger emulator";
  $("menu-button").hidden = side !== "person" || !menuItems().length;
  $("thumb").hidden = side !== "person";
  $("inbox-bar").hidden = side !== "page";
  $("inbox-bar").replaceChildren(h("span", {}, "The thread belongs to " + (who.owner || "the app")),
    who.owner === "Page Inbox" ? h("button", { type: "button", class: "pill", onclick: () => asPage({ done: true }) }, "Give it back")
      : h("button", { type: "button", class: "pill", onclick: () => asPage({ take: true }) }, "Take it from the app"));
}

// reply makes the next text an answer to a message; null takes that back.
function reply(m) {
  answering = m;
  $("answering").hidden = !m;
  $("answering").querySelector("span").textContent = m ? "Replying to: " + (m.text || "a message") : "";
  if (m) $("text").focus();
}

function setSide(next) {
  side = next;
  document.body.dataset.side = side;
  for (const b of document.querySelectorAll("[data-side]")) if (b.tagName === "BUTTON") b.setAttribute("aria-pressed", String(b.dataset.side === side));
  reply(null);
  renderHead();
  loadThread();
}

// loadThread shows the thread as it is now.
const loadThread = joined(async () => {
  const { page: pageID, person: psid } = current;
  if (!psid) return;
  try {
    const thread = await api.thread(pageID, psid);
    if (psid !== current.person || !person()) return; // another was picked, and loads by itself
    renderThread(page(), person(), thread, { act, reply, side });
    clearTimeout(typingTimer);
    if (thread.typing) typingTimer = setTimeout(loadThread, 3000);
    markRead(thread);
  } catch (err) {
    toast(err.message);
  }
});

// markRead tells the platform that the person has the messages before their eyes.
function markRead(thread) {
  const looking = document.visibilityState === "visible";
  if (side === "page") {
    if (looking && thread.messages.some((m) => m.from === "person" && !m.note && !m.read_at)) asPage({ seen: true });
    return;
  }
  const seen = looking && (document.body.dataset.view === "chat" || matchMedia("(min-width: 800px)").matches);
  if (seen && thread.messages.some((m) => m.from === "page" && m.delivered_at && !m.read_at)) act({ read: true });
}

function onChange(c) {
  if (c.type === "reset") { clearRecords(); loadPages().then(loadThread); loadRecords(); }
  if (c.type === "pages") loadPages().then(loadThread);
  if (c.type === "thread") {
    loadPages();
    if (c.page === current.page && c.person === current.person) loadThread();
  }
  if (c.type === "webhook" || c.type === "call") loadRecords();
  if (c.type === "clock" || c.type === "reset" || c.type === "call") toolsChanged();
}

function show(view) {
  document.body.dataset.view = view;
  for (const b of document.querySelectorAll("#tabs button")) {
    if (b.dataset.view === view) b.setAttribute("aria-current", "page");
    else b.removeAttribute("aria-current");
  }
  if (view === "chat") loadThread();
}

function menuItems() {
  const menus = person()?.menu ?? page()?.profile.persistent_menu ?? [];
  return (menus.find((m) => m.locale === person()?.locale) ?? menus.find((m) => m.locale === "default"))?.call_to_actions ?? [];
}

function openMenu(open, items, back) {
  $("menu").hidden = !open;
  $("menu-button").setAttribute("aria-expanded", String(open));
  if (!open) return;
  const rows = (items ?? menuItems()).map((item) => h("button", {
    type: "button", role: "menuitem",
    onclick: (e) => {
      e.stopPropagation();
      if (item.type === "nested") return openMenu(true, item.call_to_actions ?? [], () => openMenu(true));
      openMenu(false);
      if (item.type === "web_url") window.open(item.url, "_blank", "noopener");
      else act({ postback: { title: item.title, payload: item.payload } });
    },
  }, item.title + (item.type === "nested" ? " ›" : "")));
  if (back) rows.unshift(h("button", { type: "button", role: "menuitem", onclick: (e) => { e.stopPropagation(); back(); } }, "‹ Back"));
  $("menu").replaceChildren(...rows);
  $("menu").querySelector("button")?.focus();
}

// sendFiles sends files one after the other, each as what it is.
async function sendFiles(files) {
  for (const file of files) {
    const kind = /^(image|audio|video)\//.exec(file.type)?.[1] ?? "file";
    try {
      const url = await api.upload(file);
      if (side === "page") await api.inbox(current.page, current.person, { attachment: { type: kind, url } });
      else await api.act(current.page, current.person, { attachment: { type: kind, url } });
    } catch (err) {
      toast(err.message);
    }
  }
}

function startComposer() {
  const text = $("text");
  const fit = () => { text.style.height = "auto"; text.style.height = Math.min(text.scrollHeight, 140) + "px"; };
  text.addEventListener("input", fit);
  text.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); $("composer").requestSubmit(); }
  });
  $("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    const value = text.value.trim();
    if (!value || !current.person) return;
    text.value = "";
    fit();
    if (side === "page") asPage({ text: value });
    else act({ text: value, reply_to: answering?.mid });
    reply(null);
  });
  $("attach").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => { sendFiles([...$("file").files]); $("file").value = ""; });
  $("thumb").addEventListener("click", () => act({ sticker: 369239263222822 }));
  $("answering").querySelector("button").addEventListener("click", () => reply(null));
  text.addEventListener("paste", (e) => {
    if (e.clipboardData?.files.length) { e.preventDefault(); sendFiles([...e.clipboardData.files]); }
  });
  $("chat-pane").addEventListener("dragover", (e) => e.preventDefault());
  $("chat-pane").addEventListener("drop", (e) => {
    if (e.dataTransfer?.files.length) { e.preventDefault(); sendFiles([...e.dataTransfer.files]); }
  });
  for (const b of document.querySelectorAll("button[data-side]")) b.addEventListener("click", () => setSide(b.dataset.side));
  $("menu-button").addEventListener("click", (e) => { e.stopPropagation(); openMenu($("menu").hidden); });
  document.addEventListener("click", () => {
    openMenu(false);
    document.querySelectorAll(".react-menu").forEach((m) => { m.hidden = true; });
  });
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") { openMenu(false); reply(null); } });
}

// dialog wires one of the small forms: open before, done when it is sent.
function dialog(button, id, before, done) {
  const box = $(id);
  $(button).addEventListener("click", () => { before(); box.showModal(); });
  box.querySelector("[data-close]").addEventListener("click", () => box.close());
  box.querySelector("form").addEventListener("submit", () => done());
}

function startDialogs() {
  dialog("add-person", "person-dialog", () => {
    $("person-page").replaceChildren(...pages.map((p) => h("option", { value: p.id, selected: p.id === current.page }, p.name)));
    $("person-first").value = $("person-last").value = "";
    $("person-open").checked = false;
  }, async () => {
    try {
      const pageID = $("person-page").value;
      const added = await api.addPerson(pageID, { first_name: $("person-first").value, last_name: $("person-last").value, open: $("person-open").checked });
      await loadPages();
      pick(pageID, added.id);
    } catch (err) {
      toast(err.message);
    }
  });
  const aboutLink = () => {
    $("link-about").textContent = `${person()?.first_name ?? ""} enters the conversation with ${page()?.name ?? ""} through a link or an ad.`;
  };
  dialog("follow-link", "link-dialog", aboutLink, () => {
    const ad = $("link-source").value === "ADS";
    act({ referral: { source: $("link-source").value, ref: $("link-ref").value, ad_id: ad ? $("link-ad").value : undefined } });
  });
  $("link-source").addEventListener("change", () => { $("link-ad-label").hidden = $("link-source").value !== "ADS"; });
  const ref = new URLSearchParams(location.search).get("ref");
  if (ref !== null) {
    $("link-ref").value = ref;
    if (new URLSearchParams(location.search).get("code")) $("link-source").value = "MESSENGER_CODE";
    $("text").value = new URLSearchParams(location.search).get("text") ?? "";
    aboutLink();
    $("link-dialog").showModal();
  }
}

async function start() {
  for (const b of document.querySelectorAll("#tabs button")) b.addEventListener("click", () => show(b.dataset.view));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") loadThread(); });
  startComposer();
  startThread();
  startInspector();
  startTools();
  await loadPages();
  startDialogs();
  api.listen(onChange);
}

start().catch((err) => toast(err.message));
