#!/usr/bin/env bash
# Installs the two versions of the client as they are published, starts the emulated platform on a free port and calls every method of theirs.
# The first argument is the chasqui program; without one it is built.
. "$(dirname "$0")/../common.sh"
"$chasqui" emulate --addr 127.0.0.1:0 --json >"$scratch/emulator.json" &
server=$!
await_file "$scratch/emulator.json"
cd "$scratch" && unprivileged timeout 120 node main.js "$scratch/emulator.json"
