#!/usr/bin/env bash
# CPU seconds and peak memory of osteon and of pyradiomics on the same image and mask, seven regions, both on one core,
# taking turns so that both see the same machine:
#   benches/peer.sh IMAGE MASK [all|original] [PYTHON] [ROUNDS]
# OSTEON names the program to measure (default: target/release/osteon, built first).
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1 mask=$2 images=${3:-all} python=${4:-python3} rounds=${5:-1}
if [ -z "${OSTEON:-}" ]; then
    cargo build --release
    OSTEON=target/release/osteon
fi
measured() { # what command...
    "$python" - "$@" <<'END'
import resource, subprocess, sys
subprocess.run(["taskset", "-c", "0", *sys.argv[2:]], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = used.ru_utime + used.ru_stime
print(f"{sys.argv[1]}: {used.ru_utime:.2f} s user, {seconds:.2f} s in all, {used.ru_maxrss / 1024:.0f} MB")
END
}
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
for _ in $(seq "$rounds"); do
    measured osteon "$OSTEON" features "$image" "$mask" --set "filter.images=[\"$images\"]" --threads 1 --quiet
    if "$python" -c 'import radiomics' 2>/dev/null; then
        measured pyradiomics "$python" benches/peer.py "$image" "$mask" "$images"
    else
        echo "pyradiomics is not installed for $python" >&2
    fi
done
