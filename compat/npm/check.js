// What an answer has to look like, and the account of what was called.
'use strict';

const kinds = {
  id: (v) => typeof v === 'string' && /^\d+$/.test(v),
  mid: (v) => typeof v === 'string' && v.startsWith('m_'),
  text: (v) => typeof v === 'string' && v !== '',
  number: (v) => typeof v === 'number',
  url: (v) => typeof v === 'string' && /^https?:\/\//.test(v),
};

// fits compares an answer with a shape: a member that ends in ? may be missing,
// a list of one shape stands for any number, a string names a kind, = begins a
// value, a function decides.
function fits(value, shape, at = 'answer') {
  if (typeof shape === 'function') return shape(value) ? '' : `${at} is ${JSON.stringify(value)}`;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${at} is no list: ${JSON.stringify(value)}`;
    return value.map((v, i) => fits(v, shape[0], `${at}[${i}]`)).find(Boolean) ?? '';
  }
  if (shape !== null && typeof shape === 'object') {
    if (value === null || typeof value !== 'object') return `${at} is no object: ${JSON.stringify(value)}`;
    const known = new Set();
    for (const [name, inner] of Object.entries(shape)) {
      const key = name.replace(/\?$/, '');
      known.add(key);
      if (!(key in value)) {
        if (name.endsWith('?')) continue;
        return `${at} lacks ${key}: ${JSON.stringify(value)}`;
      }
      const wrong = fits(value[key], inner, `${at}.${key}`);
      if (wrong) return wrong;
    }
    const extra = Object.keys(value).filter((k) => !known.has(k));
    return extra.length ? `${at} also has ${extra}` : '';
  }
  if (typeof shape === 'string' && kinds[shape]) return kinds[shape](value) ? '' : `${at} is ${JSON.stringify(value)}, and no ${shape}`;
  const want = typeof shape === 'string' && shape.startsWith('=') ? shape.slice(1) : shape;
  return Object.is(value, want) ? '' : `${at} is ${JSON.stringify(value)}, not ${JSON.stringify(want)}`;
}

class Account {
  constructor(name) {
    this.name = name;
    this.called = new Set();
    this.checks = 0;
    this.failures = [];
  }

  // client wraps a client so that the methods that are called are noted down.
  client(real) {
    return new Proxy(real, {
      get: (target, name) => {
        const value = target[name];
        if (typeof value !== 'function') return value;
        return (...args) => {
          this.called.add(name);
          return value.apply(target, args);
        };
      },
    });
  }

  fail(what, why) {
    this.failures.push(`${this.name}: ${what}: ${why}`);
  }

  async gives(what, promise, shape) {
    this.checks += 1;
    try {
      const answer = await promise;
      const wrong = fits(answer, shape);
      if (wrong) this.fail(what, wrong);
      return answer;
    } catch (err) {
      const body = err.response && err.response.data;
      this.fail(what, body ? JSON.stringify(body) : err.stack);
      return undefined;
    }
  }

  // refuses expects the platform's refusal with a code and a subcode.
  async refuses(what, call, code, subcode) {
    this.checks += 1;
    try {
      const answer = await call();
      this.fail(what, `was taken: ${JSON.stringify(answer)}`);
    } catch (err) {
      const error = err.response && err.response.data && err.response.data.error;
      const got = error ? [error.code, error.error_subcode ?? error.errorSubcode] : err.message;
      if (!error || error.code !== code || (subcode !== undefined && got[1] !== subcode)) this.fail(what, `expected ${code}/${subcode}, got ${got}`);
      else if (!error.message || !error.type || !(error.fbtrace_id ?? error.fbtraceId) || err.response.status !== 400) this.fail(what, `the error's form: ${err.response.status} ${JSON.stringify(error)}`);
    }
  }

  // complete expects that every method of the prototype was called.
  complete(prototype, except = []) {
    this.checks += 1;
    const missing = Object.getOwnPropertyNames(prototype).filter((name) => {
      const value = Object.getOwnPropertyDescriptor(prototype, name).value;
      return typeof value === 'function' && name !== 'constructor' && !name.startsWith('_') && !except.includes(name) && !this.called.has(name);
    });
    if (missing.length) this.fail('every method', `not called: ${missing}`);
  }
}

module.exports = { Account, fits };
