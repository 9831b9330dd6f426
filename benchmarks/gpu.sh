#!/usr/bin/env bash
# Every benchmark that says something about one GPU, within 9 minutes: benchmarks/gpu.sh [FOLDER]
#
# JSON goes into FOLDER (by default results/ beside this file), with the card's name in the name of
# the file. PYTHON names the Python of an environment with stimjax[cuda]. Left out are `prepare`,
# which uses no device, and `lanes`, for PyTorch takes minutes to compile: `run.py --only lanes
# --torch PYTHON` compares it on a GPU too. STIMJAX_BENCHMARKS=small only tries whether all runs
# through, on any device; PATIENCE=5 gives everything five times as long.
set -euo pipefail

python=${PYTHON:-python}
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/results}
# Seconds, 540 together.
shares=(roofline:90 scale:75 million:85 fit:90 labels:85 inhibition:65 precision:50)

# Several processes share the card: each takes only what it needs.
export XLA_PYTHON_CLIENT_PREALLOCATE=false

card=$("$python" -c 'import jax, re
print(re.sub("[^a-z0-9]+", "-", jax.devices()[0].device_kind.lower()).strip("-"))')
mkdir -p "$out"
failed=0
for share in "${shares[@]}"; do
    name=${share%:*}
    if timeout $((${share#*:} * ${PATIENCE:-1})) "$python" "$here/run.py" --only "$name" \
        --out "$out/$name-$card.json" >/dev/null; then
        echo "$name: $out/$name-$card.json"
    else
        echo "$name: not measured (status $?)" >&2
        failed=1
    fi
done
exit $failed
