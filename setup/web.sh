#!/usr/bin/env bash
# Builds the dashboard into web/dist, which the next compilation embeds. Without Node the service is built without it,
# and its page explains how to add the dashboard.
set -euo pipefail
cd "$(dirname "$0")/../web"

needed="20.19"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "dashboard: skipped, because Node is missing. Install Node $needed or newer with npm, then run: make web" >&2
  exit 0
fi
version=$(node --version | tr -d v)
if [ "$(printf '%s\n' "$needed" "$version" | sort -V | head -n 1)" != "$needed" ]; then
  echo "dashboard: skipped, because Node $version is older than $needed. Install a newer version, then run: make web" >&2
  exit 0
fi
echo "dashboard: installing packages and building"
npm ci --no-fund --no-audit
npm run build
touch dist/index.html
