#!/usr/bin/env bash
# Runs the tests that use a CUDA device, on a machine that has one with NVIDIA's compiler and
# libraries. With --flash-attn the attention kernels too (they take long to compile).
# Elsewhere the same tests run on the processor alone and say so: scripts/test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

features=cuda
case ${1-} in
"") ;;
--flash-attn) features=flash-attn ;;
*)
    echo "usage: scripts/test-gpu.sh [--flash-attn]" >&2
    exit 2
    ;;
esac
for tool in nvidia-smi nvcc; do
    command -v "$tool" >/dev/null || {
        echo "skipped: no CUDA device (there is no $tool)"
        exit 0
    }
done
nvidia-smi -L

# A test skips what a missing device, model or fixture keeps from it; here the device is there, so
# that a skip for want of it is a failure.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo test -p sn1 --features "$features" --lib engine::device_llama -- --nocapture | tee "$log"
if grep -q 'skipped: no CUDA device' "$log"; then
    echo "a test found no CUDA device although there is one" >&2
    exit 1
fi
