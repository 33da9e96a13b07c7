#!/usr/bin/env bash
# Installs what the tests need besides the build: Chromium and its driver package, sqlite3, openssl, nginx, PostgreSQL and
# Slurm (the tests start their own servers and do not use those that apt may start), and the Python packages for
# docs/python.md, for an S3-compatible service, for a client that is generated from the OpenAPI document and for the schemas
# of Kubernetes.
set -euo pipefail
cd "$(dirname "$0")/../tests/browser"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "tests: installing playwright-core"
  npm ci --no-fund --no-audit
  touch node_modules/.package-lock.json
fi

# Prints the first of the given programs that exists.
first() {
  local name
  for name in "$@"; do
    if [ -n "$name" ] && command -v "$name"; then return; fi
  done
  return 1
}

missing=()
first "${OPTLAB_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable || missing+=(chromium)
first sqlite3 || missing+=(sqlite3)
first nginx /usr/sbin/nginx || missing+=(nginx-light)
first openssl || missing+=(openssl)
../../setup/find-postgres.sh || missing+=(postgresql)
first slurmctld /usr/sbin/slurmctld || missing+=(slurmctld)
first slurmd /usr/sbin/slurmd || missing+=(slurmd)
first sbatch || missing+=(slurm-client)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)

# Each suite has its own virtual environment. The list of its packages is copied into it last, as a mark of completion.
install_python() {
  install_packages ../python "the Python packages of docs/python.md"
  install_packages ../bucket "an S3-compatible service"
  install_packages ../openapi "a client for the OpenAPI document"
  install_packages ../kubernetes "the schemas of Kubernetes"
}

install_packages() {
  cd "$1"
  if cmp --silent requirements.txt .venv/requirements.txt; then return; fi
  echo "tests: installing $2"
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt .venv/requirements.txt
}

if [ ${#missing[@]} = 0 ]; then
  install_python
  exit 0
fi

install="apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "tests: missing: ${missing[*]}. Install them, or set OPTLAB_CHROMIUM to a browser and" \
    "OPTLAB_POSTGRES to the folder of PostgreSQL's programs." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "tests: missing: ${missing[*]}. Installing them needs root. Run: sudo sh -c '$install'" >&2
  exit 1
fi
echo "tests: installing ${missing[*]}"
DEBIAN_FRONTEND=noninteractive sh -c "$install"
install_python
