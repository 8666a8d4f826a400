#!/usr/bin/env bash
# How long a newcomer waits: a clean clone, an empty HOME, `npx -y pnpm@12 start`, and a few typed lines.
# Prints what appears and when, and fails if the conversation did not go as typed.
#
#   scripts/first-start.sh                     with the machine's Node
#   scripts/first-start.sh /path/to/bin/node   with another one
#
# Measures the commit that is checked out. Everything is downloaded, so it measures the network as well.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/bin" "$work/home"
ln -s "$(readlink -f "${1:-$(command -v node)}")" "$work/bin/node"
# without the programs of this checkout, which npm and pnpm put in front when they run a script
PATH=$work/bin:$(tr : '\n' <<<"$PATH" | grep -v node_modules | paste -sd :)
export PATH
# PortAudio is built against the headers of Node, where this machine has them
if [ -z "${npm_config_nodedir:-}" ] && [ -e /usr/include/node/node_api.h ]; then export npm_config_nodedir=/usr; fi

git clone -q "$root" "$work/clone"
cd "$work/clone"
echo "Node $(node -p process.versions.node), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)"

started=$(date +%s%N)
since() { echo "$((($(date +%s%N) - started) / 100000000))" | sed 's/\(.\)$/.\1/; s/^\./0./'; }
printf '%s\n' "My name is Ada." "What is my name?" "stop conversation" |
  env -u XDG_DATA_HOME -u XDG_CACHE_HOME -u XDG_CONFIG_HOME -u PNPM_HOME -u OPENAI_API_KEY -u GOOGLE_API_KEY \
    -u GEMINI_API_KEY -u AWS_PROFILE -u AWS_ACCESS_KEY_ID -u VOICE_PROVIDER HOME="$work/home" npx -y pnpm@12 start 2>&1 |
  while IFS= read -r line; do
    printf '%6s  %s\n' "$(since)" "$line"
    case $line in
      "agent: Hello"*) since >"$work/ready" ;;
      "agent: Your name is Ada"*) since >"$work/answered" ;;
    esac
  done || true

if [ ! -e "$work/answered" ]; then
  echo "first start: no answer" >&2
  exit 1
fi
echo "ready after $(cat "$work/ready") s, answered after $(cat "$work/answered") s"
