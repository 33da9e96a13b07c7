#!/usr/bin/env bash
# Packs the programs of a build for machines that have nothing but torch: bundle.sh FOLDER_OF_PROGRAMS ARCHIVE.tar.gz.
# Data sets that are on this machine are packed too: Fashion-MNIST in the archive, CIFAR-100 in pieces beside it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=$(cd "$1" && pwd) archive=$2

# What fits the limits for uploads to borrowed machines, of 64 MiB with a checkout.
MOST_BYTES=$((56 * 1024 * 1024))

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
top=$stage/optlab-gpu-check
mkdir -p "$top/bin" "$(dirname "$archive")"

# The folder of a data set on this machine, if its files are the official ones.
folder_of() {
  local said
  said=$("$programs/optlab" data verify "$1") || { echo "gpu-bundle: without $said" >&2; return 0; }
  "$programs/optlab" data list --json | python3 -c 'import json, sys
for dataset in json.load(sys.stdin):
    if dataset["name"] == sys.argv[1]:
        print(dataset["state"].removeprefix("in "))' "$1"
}

# Checks a data set of the archive as its programs will find it.
check() { OPTLAB_DATA_DIR=$top/data XDG_CACHE_HOME=$stage/none "$programs/optlab" data verify "$1" >&2; }

# Programs of the archive find the files of a data set below its folder `data`.
pack() { tar --create --gzip --owner=0 --group=0 --directory "$stage" optlab-gpu-check; }

for program in optlab optlab-runner optlab-gpu-check; do
  strip -o "$top/bin/$program" "$programs/$program"
done
cp "$root/crates/gpu-check/gpu-check" "$root/benches/peers/torch_step.py" "$top/"
cp "$root/docs/gpu.md" "$top/README.md"
git -C "$root" describe --always --dirty --abbrev=12 >"$top/COMMIT" 2>/dev/null || echo unknown >"$top/COMMIT"
fashion_mnist=$(folder_of fashion-mnist)
if [ -n "$fashion_mnist" ]; then
  mkdir -p "$top/data/fashion-mnist"
  cp --no-preserve=mode "$fashion_mnist"/*-ubyte.gz "$top/data/fashion-mnist/"
  check fashion-mnist
fi

pack >"$archive.part"
bytes=$(stat --format=%s "$archive.part")
if [ "$bytes" -gt "$MOST_BYTES" ]; then
  echo "gpu-bundle: the archive has $bytes bytes; at most $MOST_BYTES are allowed" >&2
  exit 1
fi
mv "$archive.part" "$archive"
echo "gpu-bundle: $archive, $((bytes / 1000000)) MB"

pieces=${archive%.tar.gz}-cifar-100.tar.gz.
rm -f "$pieces"*
cifar_100=$(folder_of cifar-100)
if [ -n "$cifar_100" ]; then
  rm -rf "$top"
  name=$(basename "$cifar_100")
  mkdir -p "$top/data/$name"
  # The files, or else the archive that they come in.
  cp --no-preserve=mode "$cifar_100"/*.bin "$top/data/$name/" 2>/dev/null ||
    cp --no-preserve=mode "$cifar_100/cifar-100-binary.tar.gz" "$top/data/$name/"
  check cifar-100
  pack | split --bytes="$MOST_BYTES" --numeric-suffixes - "$pieces"
  echo "gpu-bundle: CIFAR-100 in $(ls "$pieces"* | wc -l) pieces, $pieces*"
fi
