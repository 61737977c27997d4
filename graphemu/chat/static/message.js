// One message of a thread as a row of the conversation.

import { h, icon, avatar, webURL, clock } from "./dom.js";
import { renderTemplate } from "./template.js";

const emojis = ["❤️", "😆", "😮", "😢", "😠", "👍"];

// renderMessage gives the row of a message. place tells whether it is the first
// and the last of a group of one sender; ctx holds page, person, the side from
// which the thread is seen, what the message answers, and act and reply.
export function renderMessage(m, place, ctx) {
  const { page } = ctx;
  if (m.note) return h("div", { class: "note", dataset: { mid: m.mid } }, m.note);
  const mine = m.from === ctx.side;
  const persona = page.personas?.find((p) => p.id === m.persona_id);
  const row = h("div", {
    class: ["row", mine ? "mine" : "theirs", place.first ? "first" : "", place.last ? "last" : ""].join(" "),
    dataset: { mid: m.mid },
  });
  const face = m.from === "person" ? ctx.person.picture : persona?.profile_picture_url ?? page.picture;
  if (!mine) row.append(place.last ? avatar(face, "small") : h("span", { class: "avatar-gap" }));
  const stack = h("div", { class: "stack", title: clock(m.sent_at) },
    !mine && place.first && persona ? h("p", { class: "persona" }, persona.name) : "",
    m.reply_to ? quoted(m, ctx) : "", parts(m, ctx), reactions(m));
  row.append(stack, mark(m, mine, place.seen, mine === (m.from === "person") ? page : ctx.person, ctx), tools(m, ctx));
  return row;
}

// quoted is the message that this one answers.
function quoted(m, ctx) {
  const other = ctx.byMID.get(m.reply_to);
  return h("button", { type: "button", class: "quoted", onclick: () => document.querySelector(`[data-mid="${CSS.escape(m.reply_to)}"]`)?.scrollIntoView({ behavior: "smooth", block: "center" }) },
    other?.text || "An earlier message");
}

function parts(m, ctx) {
  const out = [];
  if (m.text) out.push(h("p", { class: "bubble" + (onlyEmoji(m.text) ? " big" : "") }, linked(m.text)));
  const message = m.message ?? {};
  const attachments = message.attachments ?? (message.attachment ? [message.attachment] : []);
  for (const a of attachments) out.push(attachment(a, { ...ctx, message: m }));
  if ((message.sticker_id || attachments.some((a) => a.payload?.sticker_id)) && !m.text) return [h("p", { class: "bubble big sticker", role: "img", "aria-label": "Sticker" }, icon("M7 11v9H4v-9zM7 11l4-8c1.700 0 2.500 1.200 2.300 2.800L12.800 9H19a1.800 1.800 0 0 1 1.800 2.200l-1.500 7A2.200 2.200 0 0 1 17.100 20H7"))];
  if (!out.length) out.push(h("p", { class: "bubble faint" }, "Empty message"));
  return out;
}

function attachment(a, ctx) {
  if (a.type === "template" && a.payload?.product) return renderTemplate({ template_type: "product", elements: a.payload.product.elements }, ctx);
  if (a.type === "template") return renderTemplate(a.payload, ctx);
  if (a.type === "location") return place(a.payload?.coordinates);
  if (a.type === "fallback") return shared(a);
  const src = webURL(a.payload?.url);
  if (!src) return h("p", { class: "bubble faint" }, `${a.type} ${a.payload?.attachment_id ?? ""}`);
  switch (a.type) {
    case "image": return h("a", { class: "picture", href: src, target: "_blank", rel: "noopener noreferrer" },
      h("img", { src, alt: "Picture", loading: "lazy" }));
    case "video": return h("video", { class: "picture", src, controls: true });
    case "audio": return h("audio", { src, controls: true });
  }
  return h("a", { class: "bubble file", href: src, target: "_blank", rel: "noopener noreferrer" },
    icon("M7 3.5h7l4 4v13H7zM14 3.5v4h4"), decodeURIComponent(src.split("/").pop() || src));
}

function place(at) {
  return h("p", { class: "bubble" }, `📍 ${at?.lat ?? "?"}, ${at?.long ?? "?"}`);
}

function shared(a) {
  const href = webURL(a.payload?.url ?? a.url);
  return h("a", { class: "bubble shared", href, target: "_blank", rel: "noopener noreferrer" }, h("b", {}, a.payload?.title || a.title || "Link"), h("span", {}, href ?? ""));
}

// linked turns the addresses in a text into links.
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, i) => {
    const href = i % 2 ? webURL(part) : undefined;
    return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, part) : part;
  });
}

function onlyEmoji(text) {
  return /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s){1,12}$/u.test(text);
}

function reactions(m) {
  const given = Object.values(m.reactions ?? {});
  return given.length ? h("span", { class: "reactions", "aria-label": "Reactions: " + given.join(" ") }, given.join("")) : "";
}

// tools are what can be done with a message: react, answer.
function tools(m, ctx) {
  if (ctx.side !== "person") return "";
  return h("span", { class: "tools" }, reactButton(m, ctx.act),
    h("button", { type: "button", class: "react", "aria-label": "Reply to this message", onclick: () => ctx.reply(m) }, icon("M10 8V4.5L3.5 11l6.500 6.500V14c5 0 8 1.500 10.500 5-.800-5.500-4-10.500-10.500-11z")));
}

function reactButton(m, act) {
  const menu = h("div", { class: "react-menu", role: "menu", hidden: true }, emojis.map((emoji) => h("button", {
    type: "button", role: "menuitem", "aria-label": "React with " + emoji,
    onclick: () => {
      menu.hidden = true;
      act({ reaction: { mid: m.mid, emoji: m.reactions?.person === emoji ? "" : emoji } });
    },
  }, emoji)));
  const open = h("button", {
    type: "button", class: "react", "aria-label": "React to this message", "aria-haspopup": "menu",
    onclick: (e) => {
      e.stopPropagation();
      const wasHidden = menu.hidden;
      document.querySelectorAll(".react-menu").forEach((other) => { other.hidden = true; });
      menu.hidden = !wasHidden;
      if (wasHidden) menu.querySelector("button").focus();
    },
  }, icon("M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 14a4.5 4.5 0 0 0 7 0M9 9.5v.6M15 9.5v.6"));
  menu.addEventListener("keydown", (e) => {
    if (e.key === "Escape") { menu.hidden = true; open.focus(); }
  });
  return h("span", { class: "react-place" }, open, menu);
}

// mark is sent, delivered or read: as the person sees it on their own messages,
// and as the page's program would see it on the page's.
// Of the seen ones only the last own message shows it, as people know it.
function mark(m, mine, lastSeen, other) {
  const state = m.read_at ? "read" : m.delivered_at ? "delivered" : "sent";
  const words = { sent: "Sent", delivered: "Delivered", read: mine ? "Seen" : "Read" }[state];
  const at = m.read_at ?? m.delivered_at ?? m.sent_at;
  const props = { class: "mark", role: "img", "aria-label": words, title: `${words} ${clock(at)}`, dataset: { state } };
  if (state === "read" && mine) return h("span", props, lastSeen ? avatar(other.picture, "mini") : "");
  return h("span", props, icon(state === "read" ? "m2.5 12.5 4.5 4.5L17 7M11 16l1.5 1L22 7" : "m7 12.5 3.5 3.5L17 8.5"));
}
