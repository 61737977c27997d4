#!/usr/bin/env bash
# Installs Comapi's JavaScript SDK as it is published, starts a gateway beside the emulated platform on free ports, and lets the SDK work with it.
# The first argument is the chasqui program; without one it is built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
gateway=""
finish() {
	[ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT
chasqui=${1:-}
if [ -z "$chasqui" ]; then
	chasqui=$scratch/chasqui
	(cd "$here/../.." && go build -o "$chasqui" ./cmd/chasqui)
fi
cp "$here"/*.js "$here"/package.json "$here"/.npmrc "$scratch"
(cd "$scratch" && npm install --no-package-lock --silent)
secret="a secret of the shop, at least 32 bytes"
"$chasqui" dev --gateway-addr 127.0.0.1:0 --platform-addr 127.0.0.1:0 --json --sessions-secret "$secret" >"$scratch/gateway.json" 2>"$scratch/gateway.log" &
gateway=$!
for _ in $(seq 100); do
	[ -s "$scratch/gateway.json" ] && break
	sleep 0.1
done
cd "$scratch" && timeout 120 node main.js "$scratch/gateway.json" "$secret"
