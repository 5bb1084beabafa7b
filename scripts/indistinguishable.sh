#!/usr/bin/env bash
# Whether miners can tell users' queries from the validator's own by anything but the texts: a local
# network with a gateway, bursty users, miners that write down what comes through their sockets, and a
# classifier that ends with 1 if it can tell.
set -euo pipefail
cd "$(dirname "$0")/.."

usage="usage: scripts/indistinguishable.sh [--self-test]
  --self-test  only whether the classifier finds what it should in made-up captures
  SN1          a binary to use as it is; else a release build
  PYTHON       a Python with what tests/peers/indistinguishable.txt lists; else a new environment
  EACH         rounds of each kind that are compared; 5000 when not set
  SKIP         rounds of users before those, from which the validator learns shapes; 512 when not set
  MINERS       miners that are asked in each round; 3 when not set
  RATE         users' queries a second, on average; 8 when not set
  RHYTHM       seconds between rounds, on average; 0.05 when not set, so that the validator has as many
               rounds of its own as users at most
  WHOLE        0: users send a paragraph each; else whole texts, of one paragraph or several
  KEEP         a folder for what was captured; else that is gone at the end
At 8 a second the users of a whole run come for twelve minutes. Ports 23600 to 23619 and 23690 have to
be free."
case ${1-} in
-h | --help)
    echo "$usage"
    exit 0
    ;;
"" | --self-test) ;;
*)
    echo "$usage" >&2
    exit 2
    ;;
esac
each=${EACH:-5000} skip=${SKIP:-512} miners=${MINERS:-3} rate=${RATE:-8}
rhythm=${RHYTHM:-0.05} whole=${WHOLE:-1}
[[ $each =~ ^[1-9][0-9]{1,5}$ && $skip =~ ^[0-9]{1,5}$ && $miners =~ ^([1-9]|1[0-9]|20)$ &&
    $whole =~ ^[01]$ ]] || {
    echo "$usage" >&2
    exit 2
}

out=$(mktemp -d)
started=()
# On every way out; what has ended already does not matter.
finish() {
    ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$out"
}
trap finish EXIT

python=${PYTHON:-}
if [[ -z $python ]]; then
    python3 -m venv "$out/venv"
    python=$out/venv/bin/python
    "$python" -m pip install --quiet --no-deps -r tests/peers/indistinguishable.txt
fi
export PYTHONDONTWRITEBYTECODE=1
if [[ ${1-} == --self-test ]]; then
    "$python" scripts/indistinguishable/test_classify.py
    exit
fi
. scripts/bench/binary.sh
place=${KEEP:-$out}
mkdir -p "$place" "$out/home"
captured=$place/captured.jsonl sent=$place/sent.jsonl
rm -f "$captured" "$sent"

# until_said FILE WORD PROCESS: within a minute, or shows what it said instead.
until_said() {
    for _ in {1..600}; do
        if grep -q "$2" "$1" 2>/dev/null; then return; fi
        if ! kill -0 "$3" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "no «$2» was printed:" >&2
    tail -n 20 "$1" >&2
    return 1
}

base=23600
peer=scripts/indistinguishable/capture.py
"$python" "$peer" --base $base --miners "$miners" --out "$captured" >"$out/miners" 2>&1 &
started+=($!)
until_said "$out/miners" serving $!
# Flags of two words each.
read -ra external <<<"$("$python" "$peer" --base $base --miners "$miners" --flags)"

# The validator's own rounds have to keep up with the users': many conversations at a time, and the
# stand-in for the model.
env HOME="$out/home" XDG_STATE_HOME="$out/home" "$sn1" localnet --gateway 23690 \
    --neuron.model_id fake --in-flight 64 --seed 7 --localnet.miners dead "${external[@]}" \
    --neuron.sample_size "$((miners + 1))" --gateway.rhythm "$rhythm" \
    >"$out/localnet" 2>&1 &
started+=($!)
until_said "$out/localnet" 'sk-sn1-' $!
url=$(grep -oE 'https?://[^ ]+/v1' "$out/localnet" | head -n 1)
key=$(grep -oE 'sk-sn1-[A-Za-z0-9_-]+' "$out/localnet" | head -n 1)

texts=()
((whole == 0)) || texts=(--whole)
"$python" scripts/indistinguishable/clients.py --base-url "$url" --key "$key" --sent "$sent" \
    --count "$((each + skip + 64))" --rate "$rate" "${texts[@]}"
classify() {
    "$python" scripts/indistinguishable/classify.py "$captured" --sent "$sent" --each "$each" \
        --skip "$skip" "$@"
}
echo "one header more in users' requests:"
if classify --mutate; then
    echo "the classifier does not see it" >&2
    exit 1
fi
echo "as they are:"
classify
