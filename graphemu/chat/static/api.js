// The control API of the emulator.

async function call(method, path, body) {
  const answer = await fetch("/_emu/v1" + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error?.message ?? "the emulator answered " + answer.status);
  return value;
}

const person = (page, psid) => `/pages/${encodeURIComponent(page)}/people/${encodeURIComponent(psid)}`;

export const pages = async () => (await call("GET", "/pages")).pages;
export const thread = (page, psid) => call("GET", person(page, psid) + "/thread");
export const act = (page, psid, action) => call("POST", person(page, psid) + "/actions", action);
export const addPerson = (page, who) => call("POST", `/pages/${encodeURIComponent(page)}/people`, who);
export const webhooks = (after) => call("GET", "/webhooks?after=" + after);
export const calls = (after) => call("GET", "/calls?after=" + after);

// listen hands every change to f, and {type: "reset"} whenever the stream
// begins, since changes may have been missed.
export function listen(f) {
  const stream = new EventSource("/_emu/v1/stream");
  stream.onopen = () => f({ type: "reset" });
  stream.onmessage = (m) => f(JSON.parse(m.data));
}
