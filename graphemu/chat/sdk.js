// The emulator's stand-in for the page script of Facebook: it draws the Send to
// Messenger button, the Message Us button and the checkbox, and hands their
// events to FB.Event.
(function () {
  "use strict";
  const base = new URL(document.currentScript.src).origin;
  const listeners = {};
  const frames = new Map();
  const kinds = {
    "fb-send-to-messenger": "send_to_messenger",
    "fb-messengermessageus": "messenger_message_us",
    "fb-messenger-checkbox": "messenger_checkbox",
  };

  function draw(element, kind) {
    if (element.dataset.drawn) return;
    element.dataset.drawn = "true";
    const read = (name) => element.getAttribute(name) ?? element.getAttribute("data-" + name) ?? "";
    const query = new URLSearchParams({
      page_id: read("page_id"), app_id: read("messenger_app_id"), ref: element.getAttribute("data-ref") ?? read("ref"),
      user_ref: read("user_ref"), color: read("color"), size: read("size"), origin: location.origin,
    });
    const frame = document.createElement("iframe");
    frame.src = `${base}/plugins/${kind}?${query}`;
    frame.title = kind.replaceAll("_", " ");
    frame.style.cssText = "border:0;width:360px;max-width:100%;height:74px;color-scheme:normal";
    element.replaceChildren(frame);
    frames.set(frame, { kind, user_ref: read("user_ref") });
  }

  function parse(root) {
    for (const [name, kind] of Object.entries(kinds)) {
      for (const element of (root ?? document).querySelectorAll("." + name)) draw(element, kind);
    }
  }

  window.addEventListener("message", (e) => {
    if (e.origin !== base || e.data?.emulator !== true) return;
    const { kind, ...rest } = e.data;
    for (const f of listeners[kind] ?? []) f({ ...rest, is_after_optin: rest.event === "opt_in" });
  });

  window.FB = {
    init() { parse(); },
    XFBML: { parse },
    Event: {
      subscribe(name, f) { (listeners[name] ??= []).push(f); },
      unsubscribe(name, f) { listeners[name] = (listeners[name] ?? []).filter((g) => g !== f); },
    },
    AppEvents: {
      logEvent(name, value, params) {
        if (name !== "MessengerCheckboxUserConfirmation") return;
        for (const [frame, about] of frames) {
          if (about.user_ref === params.user_ref) frame.contentWindow.postMessage({ emulator: true, event: "confirm", ref: params.ref }, base);
        }
      },
    },
  };
  const ready = () => { parse(); window.fbAsyncInit?.(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
