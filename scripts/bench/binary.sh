# To be sourced from the repository's root: sets sn1 to the binary that SN1 names, or to a release build.
sn1=${SN1:-}
if [[ -z $sn1 ]]; then
    echo "building sn1 (release)" >&2
    cargo build --release --bin sn1
    sn1=${CARGO_TARGET_DIR:-target}/release/sn1
fi
