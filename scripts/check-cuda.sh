#!/usr/bin/env bash
# Type-checks the features `cuda` and `flash-attn` on a machine without a GPU and without NVIDIA's
# compiler: a stand-in takes its place, so that no kernel is compiled. With --real the kernels of
# `cuda` are compiled by NVIDIA's compiler from its Python packages; that takes ten minutes and more.
# Works in a folder of its own under CARGO_TARGET_DIR, so that ordinary builds stay warm.
set -euo pipefail
cd "$(dirname "$0")/.."

real=false
case ${1-} in
"") ;;
--real) real=true ;;
*)
    echo "usage: scripts/check-cuda.sh [--real]" >&2
    exit 2
    ;;
esac

target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$PWD/$target
if $real; then work=$target/cuda-check-real; else work=$target/cuda-check; fi
mkdir -p "$work/bin"
export CARGO_TARGET_DIR=$work
# The oldest GPUs that multiply bf16.
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80}

# executable PATH: writes standard input there, where it differs: build scripts look at the time.
executable() {
    local new
    new=$(cat)
    [[ -x $1 && $(<"$1") == "$new" ]] && return
    printf '%s\n' "$new" >"$1"
    chmod +x "$1"
}

if $real; then
    python3 -m venv "$work/python"
    "$work/python/bin/pip" install --quiet nvidia-cuda-nvcc nvidia-nvvm nvidia-cuda-crt \
        nvidia-cuda-runtime nvidia-cuda-cccl
    nvcc=$(find "$work/python" -path '*/bin/nvcc' | head -n 1)
    [[ -n $nvcc ]] || {
        echo "NVIDIA's packages hold no nvcc" >&2
        exit 1
    }
    root=${nvcc%/bin/nvcc}
    # Zipped without their modes.
    chmod +x "$root"/bin/* "$root"/nvvm/bin/* 2>/dev/null || true
    export NVCC=$nvcc CUDA_HOME=$root CUDA_PATH=$root PATH=$root/bin:$PATH
    "$nvcc" --version
    # Flash attention's kernels need a checkout of CUTLASS from GitHub, and half an hour.
    cargo check -p sn1 --lib --features cuda
    exit 0
fi

# Says which version it is and leaves an empty file where a kernel would be.
executable "$work/bin/nvcc" <<'SH'
#!/usr/bin/env bash
set -euo pipefail
folder=. previous=''
sources=() outputs=()
for argument in "$@"; do
    case $argument in
    --version)
        printf '%s\n' "nvcc: a stand-in" "for NVIDIA's" "compiler" \
            "Cuda compilation tools, release 13.0, V13.0.0"
        exit
        ;;
    --list-gpu-code | --list-gpu-arch)
        printf '%s\n' sm_80 sm_90
        exit
        ;;
    *.cu) sources+=("$argument") ;;
    esac
    case $previous in
    -o | --output-file) outputs+=("$argument") ;;
    -odir | --output-directory) folder=$argument ;;
    esac
    previous=$argument
done
if ((${#outputs[@]} == 0)); then
    for source in "${sources[@]}"; do
        name=${source##*/}
        outputs+=("$folder/${name%.cu}.ptx")
    done
fi
for output in "${outputs[@]}"; do : >"$output"; done
SH
# Flash attention's build script fetches CUTLASS, which only its kernels need.
executable "$work/bin/git" <<'SH'
#!/usr/bin/env bash
set -euo pipefail
if [[ ${1-} == clone ]]; then mkdir -p "${*: -1}/include"; fi
SH
export CUDAFORGE_HOME=$work/cudaforge
export NVCC=$work/bin/nvcc CUDARC_CUDA_VERSION=13000 PATH=$work/bin:$PATH

# Nothing runs but build scripts and macros, which need no optimisation.
quick=(--config 'profile.dev.package."*".opt-level=0' --config 'profile.dev.package.sn1.opt-level=0')
echo "checking the feature cuda"
cargo clippy --quiet "${quick[@]}" -p sn1 --lib --features cuda -- -D warnings
echo "checking the feature flash-attn, with the tests"
cargo clippy --quiet "${quick[@]}" -p sn1 --lib --tests --features flash-attn -- -D warnings
echo "both features type-check"
