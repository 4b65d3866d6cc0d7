#!/usr/bin/env bash
# Processor seconds and peak memory of osteon and of its peers on the same images, masks and features, all on one core,
# taking turns so that all see the same machine; one table in Markdown.
#   benches/peer.sh IMAGE MASK [ROUNDS]
# Three works: seven regions of 25 images (preset study); one region of the original image on its own grid; one region of
# 13 images (LoG, wavelet) on its own grid. Peers are measured where they are installed:
#   PYRADIOMICS  a Python with pyradiomics 3.0.1 or later, SimpleITK, PyWavelets (default python3)
#   PICTOLOGICS  a Python 3.12 with pictologics; FLASH  one with flash-radiomics (default: not measured)
# OSTEON names the program (default: target/release/osteon, built first). The peers' own seconds are those of their second
# pass, after imports and compilation, files read; `process` is the whole process of one pass.
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1 mask=$2 rounds=${3:-3}
if [ -z "${OSTEON:-}" ]; then
    cargo build --release
    OSTEON=target/release/osteon
fi
export OSTEON PYRADIOMICS=${PYRADIOMICS:-python3} PICTOLOGICS=${PICTOLOGICS:-} FLASH=${FLASH:-}
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
export NUMBA_NUM_THREADS=1 RAYON_NUM_THREADS=1
exec python3 benches/peers.py "$image" "$mask" "$rounds"
