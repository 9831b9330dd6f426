#!/usr/bin/env bash
# A release made by all workers of a Cloud TPU VM:
#
#   scripts/cluster/tpu.sh TPU ZONE TEACHER --out RELEASE --count 1000000
#
# stimjax[tpu] has to be installed on each worker (VENV, in the home folder, is where), and TEACHER
# and RELEASE on a disk that all of them mount: Filestore, not a bucket, which has no locks and
# cannot rename a folder. jax finds the workers by itself.
#
# If it ends early, or the TPU was preempted and made anew, the same command goes on with the shards
# that are there.
set -euo pipefail
[[ $# -ge 3 ]] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
tpu=$1 zone=$2
shift 2
printf -v words ' %q' "$@" # a shell on the worker takes them apart again
gcloud compute tpus tpu-vm ssh "$tpu" --zone="$zone" --worker=all \
    --command="\"\$HOME\"/${VENV:-stimjax}/bin/stimjax synthesize$words --distributed"
