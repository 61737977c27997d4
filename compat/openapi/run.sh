#!/usr/bin/env bash
# Starts a gateway beside the emulated platform on free ports, checks the description of its API, makes a TypeScript client of that, compiles it and lets it work with the gateway.
# The first argument is the chasqui program; without one it is built.
. "$(dirname "$0")/../common.sh"
cp "$here"/*.ts "$here"/tsconfig.json "$scratch"
"$chasqui" dev --gateway-addr 127.0.0.1:0 --platform-addr 127.0.0.1:0 --json >"$scratch/gateway.json" 2>"$scratch/gateway.log" &
server=$!
await_file "$scratch/gateway.json"
cd "$scratch"
curl -sS -f -o openapi.json "$(sed 's/.*"gateway":"\([^"]*\)".*/\1/' gateway.json)/openapi.json"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
unprivileged timeout 120 node lint.js openapi.json
unprivileged timeout 120 node_modules/.bin/openapi-typescript openapi.json -o api.d.ts >/dev/null
unprivileged timeout 120 node_modules/.bin/tsc -p .
unprivileged timeout 120 node main.js gateway.json openapi.json
