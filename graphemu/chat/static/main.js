// The chat page of the emulator: who you are, what you see, what you do.

import { $, h, joined, toast, pictureURL } from "./dom.js";
import * as api from "./api.js";
import { renderPeople } from "./people.js";
import { renderThread } from "./thread.js";
import { clearRecords, loadRecords, startInspector } from "./inspector.js";

let pages = [];
let current = { page: "", person: "" };
let typingTimer;

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

const loadPages = joined(async () => {
  pages = await api.pages();
  if (!person()) choose();
  renderPeople(pages, current, pick);
  renderHead();
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
  $("as-person").textContent = "You are " + [who.first_name, who.last_name].filter(Boolean).join(" ");
  document.title = p.name + " · Messenger emulator";
  $("menu-button").hidden = !menuItems().length;
}

// loadThread shows the thread as it is now.
const loadThread = joined(async () => {
  const { page: pageID, person: psid } = current;
  if (!psid) return;
  try {
    const thread = await api.thread(pageID, psid);
    if (psid !== current.person || !person()) return; // another was picked, and loads by itself
    renderThread(page(), person(), thread, act);
    clearTimeout(typingTimer);
    if (thread.typing) typingTimer = setTimeout(loadThread, 3000);
    markRead(thread);
  } catch (err) {
    toast(err.message);
  }
});

// markRead tells the platform that the person has the messages before their eyes.
function markRead(thread) {
  const seen = document.visibilityState === "visible" && (document.body.dataset.view === "chat" || matchMedia("(min-width: 800px)").matches);
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
  const menus = page()?.profile.persistent_menu ?? [];
  return (menus.find((m) => m.locale === person()?.locale) ?? menus.find((m) => m.locale === "default"))?.call_to_actions ?? [];
}

function openMenu(open) {
  $("menu").hidden = !open;
  $("menu-button").setAttribute("aria-expanded", String(open));
  if (!open) return;
  $("menu").replaceChildren(...menuItems().map((item) => h("button", {
    type: "button", role: "menuitem",
    onclick: () => {
      openMenu(false);
      if (item.type === "web_url") window.open(item.url, "_blank", "noopener");
      else act({ postback: { title: item.title, payload: item.payload } });
    },
  }, item.title)));
  $("menu").querySelector("button")?.focus();
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
    act({ text: value });
  });
  $("menu-button").addEventListener("click", (e) => { e.stopPropagation(); openMenu($("menu").hidden); });
  document.addEventListener("click", () => {
    openMenu(false);
    document.querySelectorAll(".react-menu").forEach((m) => { m.hidden = true; });
  });
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") openMenu(false); });
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
  dialog("attach", "picture-dialog", () => {}, () => act({ attachment: { type: $("picture-type").value, url: $("picture-url").value } }));
  const ref = new URLSearchParams(location.search).get("ref");
  if (ref !== null) {
    $("link-ref").value = ref;
    aboutLink();
    $("link-dialog").showModal();
  }
}

async function start() {
  for (const b of document.querySelectorAll("#tabs button")) b.addEventListener("click", () => show(b.dataset.view));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") loadThread(); });
  startComposer();
  startInspector();
  await loadPages();
  startDialogs();
  api.listen(onChange);
}

start().catch((err) => toast(err.message));
