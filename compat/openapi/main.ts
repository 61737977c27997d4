// Works with a gateway through the client that is made of its description, and holds every answer of a GET against that description.
// @ts-ignore: no types of node are installed
import { readFileSync } from "node:fs";
// @ts-ignore
import process from "node:process";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./api.js";

type Event = components["schemas"]["Event"];
type Posted = webhooks["event"]["post"]["requestBody"]["content"]["application/json"];

const dev = JSON.parse(readFileSync(process.argv[2]!, "utf8"));
const description = JSON.parse(readFileSync(process.argv[3]!, "utf8"));
const client = createClient<paths>({ baseUrl: dev.gateway, headers: { Authorization: `Bearer ${dev.api_key}` } });

function must(held: unknown, what: string): asserts held {
  if (!held) throw new Error(what);
}

// The client is typed: what does not fit does not compile, as the lines below say that they do not.
function neverCalled() {
  // @ts-expect-error: a number is wanted
  client.GET("/v1/messages", { params: { query: { limit: "5" } } });
  // @ts-expect-error: no state of a message
  client.GET("/v1/messages", { params: { query: { status: "lost" } } });
  // @ts-expect-error: no kind of a subscription
  client.POST("/v1/subscriptions", { body: { kind: "push" } });
}
void neverCalled;

async function work(): Promise<string> {
  const sent = await client.POST("/v1/messages", { body: { to: { fbMessengerId: dev.people[0].id }, body: "Hello from a generated client" } });
  must(sent.data, `send: ${JSON.stringify(sent.error)}`);
  const refused = await client.POST("/v1/messages", { body: { to: {}, body: "nobody" } });
  must(refused.error?.error.code === "invalid_request" && refused.response.status === 400, "a message to nobody was taken");
  const listed = await client.GET("/v1/messages", { params: { query: { limit: 5, application: [dev.application] } } });
  must(listed.data, `list: ${JSON.stringify(listed.error)}`);
  must(listed.data.messages.some((m) => m.id === sent.data.id), "the message is not listed");
  listed.data.messages.map((m) => m.attempts.length + m.timeline.length); // lists are never null
  const profile = await client.POST("/v1/profiles", { body: { id: "c", firstName: "Rosa" } });
  must(profile.data?.id === "c" && profile.data["firstName"] === "Rosa", `profile: ${JSON.stringify(profile.error)}`);
  const point = await client.POST("/v1/entry-points", { body: { application: dev.application, kind: "code", ref: "table-7" } });
  must(point.data, `entry point: ${JSON.stringify(point.error)}`);
  const image = await client.GET("/v1/entry-points/{id}/{image}", {
    params: { path: { id: point.data.id!, image: "image.png" }, query: { size: 200, ring: true } },
    parseAs: "arrayBuffer",
  });
  must(image.response.status === 200, "no picture");
  const made = await client.POST("/v1/subscriptions", { body: { kind: "pull", eventTypes: ["message.sent", "profile.created"], from: "earliest" } });
  must(made.data, `subscribe: ${JSON.stringify(made.error)}`);
  const id = made.data.id;
  const seen = new Map<string, Event>();
  for (let after = "", tries = 0; tries < 30 && !(seen.has("message.sent") && seen.has("profile.created")); tries++) {
    const pulled = await client.GET("/v1/subscriptions/{id}/events", { params: { path: { id }, query: { limit: 100, wait: 2, ...(after && { after }) } } });
    must(pulled.data, `pull: ${JSON.stringify(pulled.error)}`);
    for (const e of pulled.data.events) seen.set(e.type, e);
    after = pulled.data.cursor;
    await client.POST("/v1/subscriptions/{id}/ack", { params: { path: { id } }, body: { cursor: after } });
  }
  const [about, nobody] = [seen.get("message.sent"), seen.get("profile.created")];
  must(about && nobody, `only ${[...seen.keys()]} came`);
  must(about.person?.id === dev.people[0].id && about.application === dev.application, `message.sent: ${JSON.stringify(about)}`);
  must(nobody.person === null && nobody.application === null, `profile.created: ${JSON.stringify(nobody)}`);
  const posted: Posted = about; // what is posted is what is pulled
  return posted.id;
}

// walk asks for everything that can be read, and holds the answers against the description.
async function walk(): Promise<number> {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(description, "api");
  const ask = async (path: string) => await fetch(dev.gateway + path, { headers: { Authorization: `Bearer ${dev.api_key}` } });
  const first = async (path: string, list: string, of = "id") => ((await (await ask(path)).json()) as any)[list][0]?.[of];
  const known: Record<string, string> = {
    "/v1/messages/{id}": await first("/v1/messages", "messages"),
    "/v1/subscriptions/{id}": await first("/v1/subscriptions", "subscriptions"),
    "/v1/subscriptions/{id}/events": await first("/v1/subscriptions", "subscriptions"),
    "/v1/subscriptions/{id}/deliveries": await first("/v1/subscriptions", "subscriptions"),
    "/v1/profiles/{id}": await first("/v1/profiles", "profiles"),
    "/v1/applications/{key}": dev.application,
    "/v1/applications/{key}/check": dev.application,
    "/v1/entry-points/{id}": await first("/v1/entry-points", "entryPoints"),
    "/v1/scripts/{id}": await first("/v1/scripts", "scripts"),
    "/v1/conversations/{id}/variables": `${dev.application}:${dev.people[0].id}`,
  };
  let held = 0;
  for (const [path, item] of Object.entries<any>(description.paths)) {
    const id = known[path];
    if (!item.get || (path.includes("{") && !id)) continue;
    const res = await ask(path.replace(/\{\w+\}/, encodeURIComponent(id ?? "")));
    const described = item.get.responses[res.status];
    must(described, `${path}: ${res.status} is not described`);
    const kind = res.headers.get("content-type")!.split(";")[0]!;
    must(described.content[kind], `${path}: ${res.status} as ${kind} is not described`);
    if (kind !== "application/json" || path === "/openapi.json") continue;
    const pointer = ["paths", path, "get", "responses", String(res.status), "content", kind, "schema"].map((p) => p.replaceAll("/", "~1")).join("/");
    const fits = ajv.compile({ $ref: "api#/" + pointer.replaceAll("{", "%7B").replaceAll("}", "%7D") });
    must(fits(await res.json()), `${path}: ${JSON.stringify(fits.errors)}`);
    held++;
  }
  return held;
}

const id = await work();
const held = await walk();
must(held >= 18, `only ${held} answers were held against the description`);
console.log(`a generated TypeScript client sent, listed and pulled (${id}); ${held} answers are as described`);
