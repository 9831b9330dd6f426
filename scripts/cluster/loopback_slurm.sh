#!/usr/bin/env bash
# A real Slurm of two virtual nodes, n0 and n1, on this machine, to try batch files on.
#
#   scripts/cluster/loopback_slurm.sh start FOLDER    starts it; prints the line to export
#   scripts/cluster/loopback_slurm.sh stop FOLDER     cancels its jobs and stops it
#
# For root on Debian or Ubuntu; it needs no systemd, so that a container will do. What the cluster
# writes is under FOLDER. Outside of it remain the packages and lines in /etc/hosts. Each command
# may be given again. It uses PORT (17000) and the two after it. Status 3: apt-get failed.
#
# The nodes share the machine's cores, and nothing confines a job to its own: it shows how jobs
# start, fail and come back, not how fast they are.
set -euo pipefail

usage() {
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
}

[[ $# == 2 && ($1 == start || $1 == stop) ]] || usage
[[ $EUID == 0 ]] || { echo "loopback_slurm: only root can start daemons for jobs" >&2; exit 1; }
mkdir -p "$2"
folder=$(cd "$2" && pwd) # daemons leave the working directory
port=${PORT:-17000}
export SLURM_CONF=$folder/slurm.conf

running() { # is the daemon that left this process id alive? (What is dead has no command line.)
    [[ -s $folder/$1.pid ]] &&
        grep -qsF "$folder" "/proc/$(<"$folder/$1.pid")/cmdline"
}

until_() { # until_ SECONDS COMMAND...: wait until it succeeds
    local left=$(($1 * 5))
    shift
    until "$@"; do
        ((left-- > 0)) || return 1
        sleep 0.2
    done
}

install() {
    local missing=()
    command -v slurmctld > /dev/null || missing+=(slurmctld)
    command -v slurmd > /dev/null || missing+=(slurmd)
    command -v sbatch > /dev/null || missing+=(slurm-client)
    command -v munged > /dev/null || missing+=(munge)
    ((${#missing[@]})) || return 0
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2; then
        echo "loopback_slurm: apt-get could not install ${missing[*]}" >&2
        exit 3
    fi
}

configure() {
    local host memory
    host=$(hostname -s)
    memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
    mkdir -p "$folder/state"
    # Names of nodes are what jax takes the first process's address from.
    for node in n0 n1; do
        getent hosts $node > /dev/null || echo "127.0.0.1 $node" >> /etc/hosts
    done
    if [[ ! -s $folder/munge.key ]]; then
        (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
    fi
    # linuxproc, none and none: no control groups, which a container may not have.
    # ReturnToService: nodes that were away, or whose machine started anew, are used again.
    # KillWait: a task that ignores SIGTERM gets SIGKILL so soon.
    # Jobs in `high` push jobs in `low` aside, which are told GraceTime before.
    cat > "$SLURM_CONF" << END
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=3
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n[0-1] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] \\
    CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2
END
}

start() {
    install
    configure
    # --force: the folder may be anyone's, and the default for logs and seeds is not.
    running munged || munged --force --key-file="$folder/munge.key" \
        --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
        --seed-file="$folder/munged.seed" --log-file="$folder/munged.log" &> /dev/null < /dev/null
    until_ 10 test -S "$folder/munge.socket"
    running slurmctld || slurmctld -f "$SLURM_CONF" &> "$folder/slurmctld.out" < /dev/null
    for node in n0 n1; do
        running slurmd-$node ||
            slurmd -f "$SLURM_CONF" -N $node &> "$folder/slurmd-$node.out" < /dev/null
    done
    if ! until_ 30 ready; then
        echo "loopback_slurm: the nodes did not come up; the logs in $folder say why" >&2
        tail -n 3 "$folder"/*.log >&2
        exit 1
    fi
    echo "export SLURM_CONF=$SLURM_CONF"
}

ready() {
    local up
    up=$(sinfo --noheader --Node --partition=low --format=%T 2> /dev/null |
        grep -cE '^(idle|mixed|allocated|completing)$')
    [[ $up == 2 ]]
}

stop() {
    if running slurmctld; then
        squeue --noheader --format=%A | sort -u | xargs -r scancel || true
        until_ 20 empty || true # what is killed needs its slurmd to be gone for good
    fi
    for daemon in slurmd-n0 slurmd-n1 slurmctld munged; do
        if running $daemon; then
            kill "$(<"$folder/$daemon.pid")"
            until_ 10 gone $daemon
        fi
    done
}

empty() { [[ -z $(squeue --noheader) ]]; }

gone() { ! running "$1"; }

"$1"
