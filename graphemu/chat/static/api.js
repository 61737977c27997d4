// The control API of the emulator.

async function call(method, path, body) {
  return ask("/_emu/v1" + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
}

// ask gives what the emulator answers, or throws an error in words.
async function ask(address, request) {
  let answer;
  try {
    answer = await fetch(address, request);
  } catch {
    throw new Error("The emulator cannot be reached: is it still running?");
  }
  let value;
  try {
    value = await answer.json();
  } catch {
    throw new Error(`The emulator's answer cannot be read (status ${answer.status}).`);
  }
  if (!answer.ok) throw new Error(value.error?.message ?? "The emulator answered with status " + answer.status + ".");
  return value;
}

const person = (page, psid) => `/pages/${encodeURIComponent(page)}/people/${encodeURIComponent(psid)}`;

export const pages = async () => (await call("GET", "/pages")).pages;
export const thread = (page, psid) => call("GET", person(page, psid) + "/thread");
export const act = (page, psid, action) => call("POST", person(page, psid) + "/actions", action);
export const addPerson = (page, who) => call("POST", `/pages/${encodeURIComponent(page)}/people`, who);
export const webhooks = (after) => call("GET", "/webhooks?after=" + after);
export const calls = (after) => call("GET", "/calls?after=" + after);

export const inbox = (page, psid, what) => call("POST", person(page, psid) + "/inbox", what);
export const setPerson = (page, psid, what) => call("PATCH", person(page, psid), what);
export const faults = async () => (await call("GET", "/faults")).rules;
export const setFaults = async (rules) => (await call("PUT", "/faults", { rules })).rules;
export const clock = () => call("GET", "/clock");
export const setClock = (now) => call("PUT", "/clock", { now });
export const resetClock = () => call("DELETE", "/clock");
export const advance = (by) => call("POST", "/clock/advance", { by });
export const reset = () => call("POST", "/reset");

// upload keeps a file at the emulator and gives its address.
export async function upload(file) {
  if (!file.size) throw new Error(file.name + " is empty.");
  const request = { method: "POST", headers: { "Content-Type": file.type || "application/octet-stream" }, body: file };
  return (await ask("/_emu/v1/files?name=" + encodeURIComponent(file.name), request)).url;
}

// listen hands every change to f, and {type: "reset"} whenever the stream
// begins, since changes may have been missed.
export function listen(f) {
  const stream = new EventSource("/_emu/v1/stream");
  stream.onopen = () => f({ type: "reset" });
  stream.onmessage = (m) => f(JSON.parse(m.data));
}
