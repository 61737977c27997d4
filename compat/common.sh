# For the scripts beside: a scratch folder with the caller's programs and what they need from npm, which goes when the script ends, and with it the server that was started.
# Sets scratch and chasqui; the argument is the chasqui program, which is built when there is none. Whoever starts a server sets server to its process.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
server=""
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
cp "$here"/*.js "$here"/package.json "$here"/.npmrc "$scratch"
(cd "$scratch" && npm install --no-package-lock --silent)

# await_file waits up to ten seconds until a server has written a file.
await_file() {
	for _ in $(seq 100); do
		[ -s "$1" ] && return
		sleep 0.1
	done
}
