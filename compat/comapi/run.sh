#!/usr/bin/env bash
# Installs Comapi's JavaScript SDK as it is published, starts a gateway beside the emulated platform on free ports, and lets the SDK work with it.
# The first argument is the chasqui program; without one it is built.
. "$(dirname "$0")/../common.sh"
secret="a secret of the shop, at least 32 bytes"
"$chasqui" dev --gateway-addr 127.0.0.1:0 --platform-addr 127.0.0.1:0 --json --sessions-secret "$secret" --sessions-fields firstName,lastName,plan >"$scratch/gateway.json" 2>"$scratch/gateway.log" &
server=$!
await_file "$scratch/gateway.json"
cd "$scratch" && unprivileged timeout 120 node main.js "$scratch/gateway.json" "$secret"
