#!/usr/bin/env bash
# Packs the programs of a build for machines that have nothing but torch: bundle.sh FOLDER_OF_PROGRAMS ARCHIVE.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=$1 archive=$2

# What fits the upload limits of borrowed machines.
MOST_BYTES=$((60 * 1024 * 1024))

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
top=$stage/optlab-gpu-check
mkdir -p "$top/bin"
for program in optlab optlab-runner optlab-gpu-check; do
  strip -o "$top/bin/$program" "$programs/$program"
done
cp "$root/crates/gpu-check/gpu-check" "$root/benches/peers/torch_step.py" "$top/"
cp "$root/docs/gpu.md" "$top/README.md"
git -C "$root" describe --always --dirty --abbrev=12 >"$top/COMMIT" 2>/dev/null || echo unknown >"$top/COMMIT"

mkdir -p "$(dirname "$archive")"
tar --create --gzip --owner=0 --group=0 --file "$archive.part" --directory "$stage" optlab-gpu-check
bytes=$(stat --format=%s "$archive.part")
if [ "$bytes" -gt "$MOST_BYTES" ]; then
  echo "gpu-bundle: the archive has $bytes bytes; at most $MOST_BYTES are allowed" >&2
  exit 1
fi
mv "$archive.part" "$archive"
echo "gpu-bundle: $archive, $((bytes / 1000000)) MB"
