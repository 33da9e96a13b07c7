#!/usr/bin/env bash
# What the browser tests need: Chromium, and the package that drives it.
set -euo pipefail
cd "$(dirname "$0")/../tests/browser"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "browser tests: installing playwright-core"
  npm ci --no-fund --no-audit
  touch node_modules/.package-lock.json
fi

for name in "${OPTLAB_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$name" ] && command -v "$name" >/dev/null; then
    echo "browser tests: using $(command -v "$name")"
    exit 0
  fi
done

install="apt-get update && apt-get install --yes --no-install-recommends chromium"
if ! command -v apt-get >/dev/null; then
  echo "browser tests: Chromium is missing; install it, or set OPTLAB_CHROMIUM to its program" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "browser tests: Chromium is missing, and installing it needs root. Type: sudo sh -c '$install'" >&2
  exit 1
fi
echo "browser tests: installing Chromium"
DEBIAN_FRONTEND=noninteractive sh -c "$install"
