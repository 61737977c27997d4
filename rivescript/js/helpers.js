// What macros find besides the language: a part of what lodash and moment offer, under their names, and bounds on what makes long texts and lists in one step.
"use strict";
(function (global) {
  const longest = 1 << 20;
  function bounded(n) {
    if (!(n <= longest)) throw new RangeError("the result is too long");
  }
  const repeat = String.prototype.repeat, padStart = String.prototype.padStart, padEnd = String.prototype.padEnd;
  String.prototype.repeat = function (n) { bounded(this.length * n); return repeat.call(this, n); };
  String.prototype.padStart = function (n, s) { bounded(+n || 0); return padStart.call(this, n, s); };
  String.prototype.padEnd = function (n, s) { bounded(+n || 0); return padEnd.call(this, n, s); };
  for (const name of ["join", "fill", "concat", "indexOf", "includes", "reverse", "sort", "map", "forEach", "slice", "toString"]) {
    const native = Array.prototype[name];
    Array.prototype[name] = function () { bounded(this.length); return native.apply(this, arguments); };
  }

  const iteratee = f => typeof f === "function" ? f : f === undefined ? (x => x)
    : typeof f === "object" && f !== null ? (x => Object.keys(f).every(k => _.isEqual(_.get(x, k), f[k]))) : (x => _.get(x, f));
  const list = c => c === null || c === undefined ? [] : typeof c === "string" ? Array.from(c) : Array.isArray(c) ? c : Object.values(c);
  const pairs = c => Array.isArray(c) || typeof c === "string" ? list(c).map((v, i) => [v, i]) : Object.keys(c || {}).map(k => [c[k], k]);
  const words = s => String(s === undefined || s === null ? "" : s).replace(/([a-z0-9])([A-Z])/g, "$1 $2").match(/[A-Za-z0-9\u00aa-\uffff]+/g) || [];
  const upperFirst = s => { s = String(s); return s.charAt(0).toUpperCase() + s.slice(1); };
  const _ = {
    get(o, path, otherwise) {
      let at = o;
      for (const key of Array.isArray(path) ? path : String(path).replace(/\[(\w+)\]/g, ".$1").split(".")) {
        if (at === null || at === undefined) return otherwise;
        at = at[key];
      }
      return at === undefined ? otherwise : at;
    },
    has: (o, path) => _.get(o, path) !== undefined,
    isEqual: (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b),
    isArray: Array.isArray, isString: x => typeof x === "string", isNumber: x => typeof x === "number", isFunction: x => typeof x === "function",
    isObject: x => x !== null && (typeof x === "object" || typeof x === "function"), isUndefined: x => x === undefined, isNull: x => x === null,
    isNil: x => x === undefined || x === null, isNaN: x => typeof x === "number" && x !== x, isBoolean: x => typeof x === "boolean",
    isEmpty: x => x === null || x === undefined || typeof x === "number" || typeof x === "boolean" || list(x).length === 0,
    map: (c, f) => pairs(c).map(([v, k]) => iteratee(f)(v, k)), filter: (c, f) => pairs(c).filter(([v, k]) => iteratee(f)(v, k)).map(p => p[0]),
    reject: (c, f) => pairs(c).filter(([v, k]) => !iteratee(f)(v, k)).map(p => p[0]),
    find: (c, f) => (pairs(c).find(([v, k]) => iteratee(f)(v, k)) || [])[0], findIndex: (c, f) => list(c).findIndex(iteratee(f)),
    forEach(c, f) { for (const [v, k] of pairs(c)) if (f(v, k) === false) break; return c; },
    reduce(c, f, start) {
      const all = pairs(c);
      let i = 0, acc = start;
      if (arguments.length < 3 && all.length) acc = all[i++][0];
      for (; i < all.length; i++) acc = f(acc, all[i][0], all[i][1]);
      return acc;
    },
    some: (c, f) => pairs(c).some(([v, k]) => iteratee(f)(v, k)), every: (c, f) => pairs(c).every(([v, k]) => iteratee(f)(v, k)),
    includes: (c, x) => typeof c === "string" ? c.includes(x) : list(c).includes(x), size: c => list(c).length,
    sample: c => { const l = list(c); return l[Math.floor(Math.random() * l.length)]; },
    sampleSize: (c, n) => _.shuffle(c).slice(0, n === undefined ? 1 : n),
    shuffle(c) {
      const l = list(c).slice();
      for (let i = l.length - 1; i > 0; i--) { const j = Math.floor(Math.random() * (i + 1)); [l[i], l[j]] = [l[j], l[i]]; }
      return l;
    },
    sortBy(c, f) {
      const by = (Array.isArray(f) ? f : [f]).map(iteratee);
      return list(c).slice().sort((a, b) => { for (const g of by) { const x = g(a), y = g(b); if (x < y) return -1; if (x > y) return 1; } return 0; });
    },
    groupBy: (c, f) => _.reduce(c, (o, v) => { const k = iteratee(f)(v); (o[k] = o[k] || []).push(v); return o; }, {}),
    keyBy: (c, f) => _.reduce(c, (o, v) => { o[iteratee(f)(v)] = v; return o; }, {}),
    countBy: (c, f) => _.reduce(c, (o, v) => { const k = iteratee(f)(v); o[k] = (o[k] || 0) + 1; return o; }, {}),
    head: l => list(l)[0], last: l => { l = list(l); return l[l.length - 1]; }, tail: l => list(l).slice(1), initial: l => list(l).slice(0, -1),
    take: (l, n) => list(l).slice(0, n === undefined ? 1 : n), drop: (l, n) => list(l).slice(n === undefined ? 1 : n), nth: (l, n) => list(l)[n < 0 ? list(l).length + n : n],
    uniq: l => Array.from(new Set(list(l))), compact: l => list(l).filter(Boolean), flatten: l => [].concat(...list(l)), reverse: l => l.reverse(),
    without: (l, ...x) => list(l).filter(v => !x.includes(v)), difference: (l, other) => list(l).filter(v => !other.includes(v)),
    intersection: (l, other) => list(l).filter(v => other.includes(v)), union: (...l) => _.uniq([].concat(...l)), indexOf: (l, x) => list(l).indexOf(x), join: (l, s) => list(l).join(s),
    chunk(l, n) { const out = []; n = Math.max(1, n || 1); for (let i = 0; i < l.length; i += n) out.push(l.slice(i, i + n)); return out; },
    range(from, to, step) {
      if (to === undefined) { to = from; from = 0; }
      step = step || (from < to ? 1 : -1);
      bounded(Math.abs((to - from) / step));
      const out = [];
      for (let i = from; step > 0 ? i < to : i > to; i += step) out.push(i);
      return out;
    },
    times: (n, f) => _.range(n).map(f), zip: (...l) => _.range(Math.max(...l.map(x => x.length))).map(i => l.map(x => x[i])), zipObject: (k, v) => _.reduce(k, (o, x, i) => { o[x] = v[i]; return o; }, {}),
    keys: o => Object.keys(o || {}), values: o => Object.values(o || {}), toPairs: o => Object.entries(o || {}), fromPairs: l => Object.fromEntries(l),
    pick: (o, ...k) => _.reduce([].concat(...k), (out, x) => { if (o && x in o) out[x] = o[x]; return out; }, {}),
    omit: (o, ...k) => { const no = [].concat(...k); return _.reduce(Object.keys(o || {}), (out, x) => { if (!no.includes(x)) out[x] = o[x]; return out; }, {}); },
    assign: Object.assign, extend: Object.assign, merge: Object.assign, defaults: (o, ...d) => Object.assign({}, ...d.slice().reverse(), o), clone: o => Array.isArray(o) ? o.slice() : _.isObject(o) ? Object.assign({}, o) : o,
    cloneDeep: o => o === undefined ? o : JSON.parse(JSON.stringify(o)), set(o, path, v) { const p = String(path).split("."); let at = o; while (p.length > 1) { const k = p.shift(); at = at[k] = _.isObject(at[k]) ? at[k] : {}; } at[p[0]] = v; return o; },
    random(a, b) { if (b === undefined) { b = a === undefined ? 1 : a; a = 0; } return a + Math.floor(Math.random() * (b - a + 1)); },
    sum: l => list(l).reduce((a, b) => a + b, 0), sumBy: (l, f) => _.sum(_.map(l, f)), mean: l => _.sum(l) / list(l).length, max: l => list(l).reduce((a, b) => b > a ? b : a, undefined === l ? undefined : list(l)[0]), min: l => list(l).reduce((a, b) => b < a ? b : a, list(l)[0]),
    maxBy: (l, f) => _.last(_.sortBy(l, f)), minBy: (l, f) => _.head(_.sortBy(l, f)), round: (n, d) => { const p = Math.pow(10, d || 0); return Math.round(n * p) / p; }, floor: Math.floor, ceil: Math.ceil, clamp: (n, a, b) => Math.min(Math.max(n, a), b), toNumber: Number, toString: x => x === null || x === undefined ? "" : String(x), parseInt: (s, r) => parseInt(s, r), identity: x => x, noop: () => undefined, constant: x => () => x, now: () => Date.now(),
    trim: (s, chars) => chars === undefined ? _.toString(s).trim() : _.toString(s).replace(new RegExp("^[" + _.escapeRegExp(chars) + "]+|[" + _.escapeRegExp(chars) + "]+$", "g"), ""),
    escapeRegExp: s => String(s).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), toLower: s => _.toString(s).toLowerCase(), toUpper: s => _.toString(s).toUpperCase(),
    lowerCase: s => words(s).map(w => w.toLowerCase()).join(" "), upperCase: s => words(s).map(w => w.toUpperCase()).join(" "),
    capitalize: s => upperFirst(_.toString(s).toLowerCase()), upperFirst: s => upperFirst(_.toString(s)), lowerFirst: s => { s = _.toString(s); return s.charAt(0).toLowerCase() + s.slice(1); },
    startCase: s => words(s).map(upperFirst).join(" "), camelCase: s => words(s).map((w, i) => i ? _.capitalize(w) : w.toLowerCase()).join(""), snakeCase: s => words(s).map(w => w.toLowerCase()).join("_"), kebabCase: s => words(s).map(w => w.toLowerCase()).join("-"),
    words, split: (s, by, n) => _.toString(s).split(by, n), replace: (s, a, b) => _.toString(s).replace(a, b), startsWith: (s, x) => _.toString(s).startsWith(x), endsWith: (s, x) => _.toString(s).endsWith(x), repeat: (s, n) => _.toString(s).repeat(n),
    padStart: (s, n, c) => _.toString(s).padStart(n, c), padEnd: (s, n, c) => _.toString(s).padEnd(n, c), pad: (s, n, c) => { s = _.toString(s); const l = Math.floor((n - s.length) / 2); return s.padStart(s.length + Math.max(0, l), c).padEnd(n, c); },
    truncate: (s, o) => { s = _.toString(s); const n = (o && o.length) || 30, end = (o && o.omission) || "..."; return s.length > n ? s.slice(0, n - end.length) + end : s; },
    template: s => data => _.toString(s).replace(/<%=\s*([\w.]+)\s*%>/g, (all, path) => _.get(data, path, "")),
  };
  _.each = _.forEach; _.first = _.head; _.contains = _.includes; _.pluck = _.map; _.collect = _.map;
  global._ = _;

  const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
  const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  const units = { millisecond: 1, ms: 1, second: 1e3, s: 1e3, minute: 6e4, m: 6e4, hour: 36e5, h: 36e5, day: 864e5, d: 864e5, week: 6048e5, w: 6048e5 };
  const unit = u => { u = String(u || "ms"); return u.length > 2 ? u.toLowerCase().replace(/s$/, "") : u; };
  const two = n => String(n).padStart(2, "0");
  const nth = n => n + (n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th");
  class Moment {
    constructor(d) { this._d = d; }
    clone() { return new Moment(new Date(this._d.getTime())); }
    valueOf() { return this._d.getTime(); }
    unix() { return Math.floor(this._d.getTime() / 1000); }
    toDate() { return new Date(this._d.getTime()); }
    toISOString() { return this._d.toISOString(); }
    isValid() { return !isNaN(this._d.getTime()); }
    add(n, u) {
      u = unit(u);
      const d = this._d;
      if (u === "M" || u === "month") d.setUTCMonth(d.getUTCMonth() + Number(n));
      else if (u === "y" || u === "year") d.setUTCFullYear(d.getUTCFullYear() + Number(n));
      else d.setTime(d.getTime() + Number(n) * (units[u] || 1));
      return this;
    }
    subtract(n, u) { return this.add(-n, u); }
    diff(other, u, exact) {
      u = unit(u);
      const ms = this.valueOf() - moment(other).valueOf();
      const by = u === "M" || u === "month" ? 2629746e3 : u === "y" || u === "year" ? 31556952e3 : units[u] || 1;
      return exact ? ms / by : Math.trunc(ms / by);
    }
    isBefore(o) { return this.valueOf() < moment(o).valueOf(); }
    isAfter(o) { return this.valueOf() > moment(o).valueOf(); }
    isSame(o, u) { return u ? this.clone().startOf(u).valueOf() === moment(o).startOf(u).valueOf() : this.valueOf() === moment(o).valueOf(); }
    startOf(u) {
      u = unit(u);
      const d = this._d;
      if (u === "year" || u === "y") { d.setUTCMonth(0, 1); u = "day"; }
      if (u === "month" || u === "M") { d.setUTCDate(1); u = "day"; }
      if (u === "week" || u === "w") { d.setUTCDate(d.getUTCDate() - d.getUTCDay()); u = "day"; }
      d.setTime(Math.floor(d.getTime() / (units[u] || 1)) * (units[u] || 1));
      return this;
    }
    endOf(u) { this.startOf(u).add(1, u); return this.subtract(1, "ms"); }
    utc() { return this; } local() { return this; } utcOffset() { return arguments.length ? this : 0; }
    year() { return this._d.getUTCFullYear(); } month() { return this._d.getUTCMonth(); } date() { return this._d.getUTCDate(); } day() { return this._d.getUTCDay(); }
    hour() { return this._d.getUTCHours(); } hours() { return this._d.getUTCHours(); } minute() { return this._d.getUTCMinutes(); } minutes() { return this._d.getUTCMinutes(); } second() { return this._d.getUTCSeconds(); }
    format(f) {
      const d = this, h = d.hour();
      const say = {
        YYYY: d.year(), YY: two(d.year() % 100), MMMM: months[d.month()], MMM: months[d.month()].slice(0, 3), MM: two(d.month() + 1), M: d.month() + 1, DD: two(d.date()), Do: nth(d.date()), D: d.date(),
        dddd: days[d.day()], ddd: days[d.day()].slice(0, 3), d: d.day(), HH: two(h), H: h, hh: two(h % 12 || 12), h: h % 12 || 12, mm: two(d.minute()), m: d.minute(), ss: two(d.second()), s: d.second(),
        SSS: String(d._d.getUTCMilliseconds()).padStart(3, "0"), A: h < 12 ? "AM" : "PM", a: h < 12 ? "am" : "pm", X: d.unix(), x: d.valueOf(), Z: "+00:00",
        LT: (h % 12 || 12) + ":" + two(d.minute()) + " " + (h < 12 ? "AM" : "PM"), LL: months[d.month()] + " " + d.date() + ", " + d.year(), L: two(d.month() + 1) + "/" + two(d.date()) + "/" + d.year(),
      };
      return (f || "YYYY-MM-DDTHH:mm:ssZ").replace(/\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|Do|D|dddd|ddd|d|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x|Z|LT|LL|L/g, (t, quoted) => quoted !== undefined ? quoted : say[t]);
    }
    fromNow(bare) {
      const ms = Date.now() - this.valueOf(), a = Math.abs(ms);
      const [n, u] = a < 45e3 ? [0, "a few seconds"] : a < 27e5 ? [Math.round(a / 6e4), "minute"] : a < 792e5 ? [Math.round(a / 36e5), "hour"] : a < 2246400e3 ? [Math.round(a / 864e5), "day"] : a < 27648e6 ? [Math.round(a / 2629746e3), "month"] : [Math.round(a / 31556952e3), "year"];
      const text = n === 0 ? u : n <= 1 ? (u === "hour" ? "an hour" : "a " + u) : n + " " + u + "s";
      return bare ? text : ms < 0 ? "in " + text : text + " ago";
    }
    toString() { return this.format("ddd MMM DD YYYY HH:mm:ss") + " GMT+0000"; }
    toJSON() { return this.toISOString(); }
  }
  function moment(x) { return new Moment(x === undefined ? new Date() : x instanceof Moment ? x.toDate() : new Date(x)); }
  moment.utc = moment; moment.now = Date.now; moment.isMoment = x => x instanceof Moment; moment.unix = s => moment(s * 1000);
  global.moment = moment;
})(this);
