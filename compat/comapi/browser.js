// What the SDK needs of a browser and node lacks: an XMLHttpRequest, which is made of fetch, a store of strings, and a window. Nothing of the SDK itself is changed.
"use strict";

class XMLHttpRequest {
  constructor() {
    this.headers = {};
    this.withCredentials = false;
    this.readyState = 0;
    this.status = 0;
    this.responseText = "";
  }
  open(method, url) {
    this.method = method;
    this.url = url;
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  getAllResponseHeaders() {
    return [...this.answer.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }
  getResponseHeader(name) {
    return this.answer.headers.get(name);
  }
  async send(body) {
    try {
      this.answer = await fetch(this.url, { method: this.method, headers: this.headers, body: body === null ? undefined : body });
      this.status = this.answer.status;
      this.statusText = this.answer.statusText;
      this.responseText = await this.answer.text();
      this.response = this.responseText;
      this.readyState = 4;
    } catch (err) {
      if (this.onerror) this.onerror(err);
      return;
    }
    if (this.onreadystatechange) this.onreadystatechange();
    if (this.onload) this.onload();
  }
}

const kept = new Map();
const localStorage = {
  getItem: (name) => (kept.has(name) ? kept.get(name) : null),
  setItem: (name, value) => kept.set(name, String(value)),
  removeItem: (name) => kept.delete(name),
};

Object.assign(globalThis, { XMLHttpRequest, localStorage, window: globalThis });
// Timers of the SDK must not keep the program running.
const setInterval = globalThis.setInterval;
globalThis.setInterval = (...args) => setInterval(...args).unref();
