# For the scripts beside: a scratch folder with the caller's programs and what they need from npm, which goes when the script ends, and with it the server that was started.
# Sets scratch and chasqui; the argument is the chasqui program, which is built when there is none. Whoever starts a server sets server to its process.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
server=""
chmod 755 "$scratch"
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT
chasqui=${1:-}
if [ -z "$chasqui" ]; then
	chasqui=$scratch/chasqui
	(cd "$here/../.." && go build -o "$chasqui" ./cmd/chasqui)
fi
cp "$here"/*.js "$here"/package.json "$here"/package-lock.json "$here"/.npmrc "$scratch"

# unprivileged runs somebody else's code: as nobody where this is root, so that it changes nothing but the scratch folder.
unprivileged() {
	if [ "$(id -u)" -eq 0 ] && command -v runuser >/dev/null; then
		runuser -u nobody -- env HOME="$scratch" "$@"
	else
		"$@"
	fi
}
if [ "$(id -u)" -eq 0 ]; then
	chown -R nobody "$scratch"
fi
# The versions and their hashes are those of package-lock.json, and no script of a package runs.
(cd "$scratch" && unprivileged npm ci --ignore-scripts --silent)

# await_file waits up to ten seconds until a server has written a file.
await_file() {
	for _ in $(seq 100); do
		[ -s "$1" ] && return
		sleep 0.1
	done
}
