# Sourced by the scripts beside it, in the repository's folder: sets `sdk` to a Python with SDK 10.5.0,
# which is SN1_SDK10_PYTHON, if that is set, and else a new environment in `out`.
sdk=${SN1_SDK10_PYTHON:-}
if [[ -z $sdk ]]; then
    echo "installing the Python SDK 10.5.0 into a temporary environment"
    python3 -m venv "$out/venv"
    sdk=$out/venv/bin/python
    "$sdk" -m pip install --quiet --no-deps -r tests/peers/sdk-10.5.txt
fi
