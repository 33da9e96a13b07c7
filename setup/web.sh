#!/usr/bin/env bash
# Builds the dashboard into web/dist, which the next compilation embeds. Without Node the service still builds;
# its page then says how to add the dashboard.
set -euo pipefail
cd "$(dirname "$0")/../web"

needed="20.19"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "dashboard: left out, because Node is missing. Install Node $needed or newer with npm, then type: make web" >&2
  exit 0
fi
version=$(node --version | tr -d v)
if [ "$(printf '%s\n' "$needed" "$version" | sort -V | head -n 1)" != "$needed" ]; then
  echo "dashboard: left out, because Node $version is older than $needed. Install a newer one, then type: make web" >&2
  exit 0
fi
echo "dashboard: installing its packages and building it"
npm ci --no-fund --no-audit
npm run build
touch dist/index.html
