// Makes a session, a state and profiles with the SDK, against a gateway that `chasqui dev --json` has described in the file of the first argument.
"use strict";
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
require("./browser.js");
const { Foundation, ComapiConfig } = require("@comapi/sdk-js-foundation");

const dev = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const secret = process.argv[3];
const customer = "dave@acme.com";

// token is what a business's own server does: it says who the customer is.
function token(nonce, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = part({ alg: "HS256", typ: "JWT" }) + "." + part({ sub: customer, nonce, iat: now, exp: now + 60, ...claims });
  return text + "." + crypto.createHmac("sha256", secret).update(text).digest("base64url");
}

function config(answer) {
  return new ComapiConfig().withApiSpace(dev.application).withUrlBase(dev.gateway).withAuthChallenge((options, callback) => callback(answer(options.nonce)));
}

async function main() {
  await assert.rejects((await Foundation.initialise(config((nonce) => token(nonce, { nonce: "another" })))).startSession(), "a token with another nonce was taken");

  const sdk = await Foundation.initialise(config(token));
  const session = await sdk.startSession();
  assert.equal(session.profileId, customer);
  assert.equal(session.isActive, true);
  assert.ok(Date.parse(session.expiresOn) > Date.now() + 3_600_000, "the session ends too soon");
  assert.equal(sdk.session.id, session.id);

  const made = await sdk.services.profile.getMyProfile();
  assert.equal(made.id, customer);
  const patched = await sdk.services.profile.patchMyProfile({ firstName: "Dave", plan: "gold" }, true);
  assert.equal(patched.firstName, "Dave");
  const { response: read } = await sdk.services.profile.getProfile(customer);
  assert.deepEqual([read.firstName, read.plan], ["Dave", "gold"]);
  const replaced = await sdk.services.profile.updateMyProfile({ lastName: "Smith" }, true);
  assert.deepEqual([replaced.lastName, replaced.plan], ["Smith", undefined]);
  await assert.rejects(sdk.services.profile.getProfile("somebody@else.com"), (err) => err.statusCode === 403);

  const { response: state } = await sdk.channels.createFbOptInState({ campaign: "spring" });
  assert.match(state, /^[A-Za-z0-9_-]{20,250}$/);
  const psid = dev.people[0].id;
  const acted = await fetch(`${dev.platform}/_emu/v1/pages/${dev.page_id}/people/${psid}/actions`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ optin: { ref: state } }),
  });
  assert.equal(acted.ok, true, await acted.text());
  for (const deadline = Date.now() + 20_000; ; await new Promise((done) => setTimeout(done, 50))) {
    const { response: bound } = await sdk.services.profile.getProfile(customer);
    if (bound.fbMessengerId === psid) break;
    assert.ok(Date.now() < deadline, "the state did not bind the profile: " + JSON.stringify(bound));
  }

  assert.equal(await sdk.endSession(), true);
  console.log("Comapi's JavaScript SDK 1.3.0: a session, a profile read, patched and replaced, a state that bound a person: 0 failures");
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
