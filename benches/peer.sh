#!/usr/bin/env bash
# CPU seconds and peak memory of osteon and of pyradiomics on the same image and mask, both on one core:
#   benches/peer.sh IMAGE MASK [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1 mask=$2 python=${3:-python3}
cargo build --release
timed() { # what command...
    local what=$1
    shift
    TIMEFORMAT="$what: %U s user, %S s system"
    time taskset -c 0 "$@" >/dev/null
}
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
timed osteon target/release/osteon features "$image" "$mask" --threads 1 --quiet
if "$python" -c 'import radiomics' 2>/dev/null; then
    timed pyradiomics "$python" benches/peer.py "$image" "$mask"
else
    echo "pyradiomics is not installed for $python" >&2
fi
