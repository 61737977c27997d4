#!/usr/bin/env bash
# Installs the two versions of the client as they are published, starts the emulated platform on a free port and calls every method of theirs.
# The first argument is the chasqui program; without one it is built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
emulator=""
finish() {
	[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
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
"$chasqui" emulate --addr 127.0.0.1:0 --json >"$scratch/emulator.json" &
emulator=$!
for _ in $(seq 100); do
	[ -s "$scratch/emulator.json" ] && break
	sleep 0.1
done
cd "$scratch" && timeout 120 node main.js "$scratch/emulator.json"
