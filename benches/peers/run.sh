#!/usr/bin/env bash
# Times training steps of optlab and of PyTorch in turn: ./run.sh [--rounds N] [--network mlp|cnn6|cnn6-64]...
set -euo pipefail
cd "$(dirname "$0")/../.."

environment="${XDG_CACHE_HOME:-$HOME/.cache}/optlab/peers"
if [ ! -e "$environment/ready" ]; then
  echo "peers: installing PyTorch 2.11 into a virtual environment (some GB, once)" >&2
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet torch==2.11.0 numpy
  touch "$environment/ready"
fi
bench=$(cargo bench --package optlab-gpu-check --bench step_cost --no-run --message-format=json |
  python3 -c 'import json, sys
for line in sys.stdin:
    built = json.loads(line)
    if built.get("target", {}).get("name") == "step_cost" and built.get("executable"):
        print(built["executable"])')
exec "$environment/bin/python" benches/peers/compare.py "$bench" "$@"
