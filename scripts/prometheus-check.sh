#!/usr/bin/env bash
# Has a real Prometheus scrape local networks, one that is well and one for each trouble, and sees that
# its alert fires for it and no other does, and that each panel of the Grafana dashboard has data. The alerts
# that take longer to be sure of are tried on made-up numbers.
set -euo pipefail

# Paths are meant from where this was called.
for name in SN1 PROMETHEUS; do
    [[ -z ${!name-} ]] || export "$name=$(realpath -ms "${!name}")"
done
cd "$(dirname "$0")/.."

usage="usage: scripts/prometheus-check.sh
  SN1         a binary to use as it is; else one is built
  PROMETHEUS  the folder with prometheus and promtool; else Debian's package, unpacked for this alone
Takes half a minute. Ports 23900 to 23910 have to be free."
case ${1-} in
"") ;;
-h | --help)
    echo "$usage"
    exit 0
    ;;
*)
    echo "$usage" >&2
    exit 2
    ;;
esac

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
prometheus=${PROMETHEUS:-}
if [[ -z $prometheus ]]; then
    # Unpacked and not installed: that would start a server of its own.
    (cd "$out" && apt-get download -qq prometheus >/dev/null && dpkg -x prometheus_*.deb unpacked) || {
        echo "Debian's package of Prometheus cannot be fetched; set PROMETHEUS" >&2
        exit 3
    }
    prometheus=$out/unpacked/usr/bin
fi
sn1=${SN1:-}
if [[ -z $sn1 ]]; then
    cargo build --workspace --bin sn1
    sn1=${CARGO_TARGET_DIR:-target}/debug/sn1
fi
"$prometheus/promtool" check config config/prometheus/prometheus.yml
cp config/prometheus/alerts.yml scripts/prometheus/slow_alerts.yml "$out"
"$prometheus/promtool" test rules "$out/slow_alerts.yml"
python3 scripts/prometheus/check.py --sn1 "$sn1" --prometheus "$prometheus/prometheus" --folder "$out"
