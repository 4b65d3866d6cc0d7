#!/bin/bash
# The shards of the synthetic study under a real Slurm on this one machine: a job array, a task that is killed and
# submitted again, a merge, and the same bytes as one machine gives.
#
#   OSTEON_SLURM_TEST=1 tests/slurm.sh [OSTEON]
#
# OSTEON is target/release/osteon when not given. Needs root. Debian's slurm-wlm and munge are installed if they are
# missing. Everything lies in a folder under /tmp; munged, slurmctld and slurmd listen on loopback or in that folder,
# and are stopped at the end, whatever happened.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${OSTEON_SLURM_TEST:-}" ]; then
    echo "skipped: set OSTEON_SLURM_TEST=1 to start a Slurm of its own on this machine"
    exit 0
fi
osteon=$(realpath "${1:-target/release/osteon}")
[ "$(id -u)" -eq 0 ] || { echo "root is needed to start slurmd"; exit 2; }
if ! type sbatch slurmctld slurmd munged >/dev/null 2>&1; then
    apt-get install -y -q --no-install-recommends slurm-wlm munge >/dev/null
fi

dir=$(mktemp -d /tmp/osteon-slurm.XXXXXX)
chmod 755 "$dir"
daemons=()
finish() {
    local status=$?
    for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait "${daemons[@]}" 2>/dev/null || true
    if [ "$status" -ne 0 ]; then
        tail -n 5 "$dir"/*.log 2>/dev/null || true
    fi
    rm -rf "$dir"
    exit "$status"
}
trap finish EXIT
say() { echo "$(date -u +%T) $*"; }
# Waits up to so many seconds until a command succeeds.
until_true() {
    local seconds=$1 i
    shift
    for ((i = 0; i < seconds * 10; i++)); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    echo "still not after $seconds seconds: $*"
    return 1
}

# --- the scheduler
host=$(hostname -s)
mkdir -m 755 "$dir/munge"
dd if=/dev/urandom of="$dir/munge/key" bs=128 count=1 status=none
chmod 400 "$dir/munge/key"
chown -R munge: "$dir/munge"
setpriv --reuid=munge --regid=munge --clear-groups munged --foreground --num-threads=2 --socket="$dir/munge/socket" --key-file="$dir/munge/key" \
    --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >/dev/null 2>&1 &
daemons+=($!)
until_true 20 test -S "$dir/munge/socket"

mkdir "$dir/state" "$dir/spool"
cat >"$dir/slurm.conf" <<END
ClusterName=osteon
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=300
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=16000 State=UNKNOWN
PartitionName=local Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$dir/slurm.conf
slurmctld -D -i >/dev/null 2>&1 &
daemons+=($!)
slurmd -D >/dev/null 2>&1 &
daemons+=($!)
until_true 60 bash -c 'sinfo -h -o %T | grep -q idle'
say "Slurm $(sinfo --version | cut -d' ' -f2) is up: $(sinfo -h -o '%N %c processors %T')"

# --- one machine: the synthetic study, stopped once its features are there
"$osteon" demo "$dir/single" --no-dashboard >/dev/null 2>"$dir/demo.log" &
demo=$!
until_true 900 grep -q 'patients 93/93' "$dir/demo.log"
sleep 1
kill -TERM "$demo" 2>/dev/null || true
wait "$demo" || true
"$osteon" --study "$dir/single/study.db" --quiet extract
"$osteon" --study "$dir/single/study.db" export features >"$dir/single.csv"
say "one machine: $(wc -l <"$dir/single.csv") lines of features"

# --- the same patients and images, nothing measured
mkdir "$dir/cluster"
export OSTEON_STUDY=$dir/cluster/study.db
"$osteon" --quiet init --title "Cluster"
"$osteon" --quiet import clinical "$dir/single/clinical.csv"
"$osteon" --quiet import images "$dir/single/images"
shards="$dir/cluster/it's \$sharded"
"$osteon" shard plan --shards 4 -o "$shards/plan.json"
"$osteon" emit slurm "$shards/plan.json" --memory 1 --at-once 2 >"$dir/job.sh"

running() { squeue -h -j "$1" -t RUNNING -o %K | grep -qx "$2"; }
over() { [ -z "$(squeue -h -j "$1" -t PENDING,RUNNING,COMPLETING,CONFIGURING -o %i)" ]; }

job=$(sbatch --parsable "$dir/job.sh")
until_true 300 running "$job" 3
scancel --signal=KILL --full "${job}_3"
say "job $job: task 3 is killed"
until_true 900 over "$job"
"$osteon" shard status "$shards" && { echo "task 3 was killed, and yet its shard is whole"; exit 1; }
[ "$("$osteon" shard status "$shards" --missing)" = 3 ]
code=0
"$osteon" shard merge "$shards" || code=$?
[ "$code" -eq 2 ] || { echo "a merge without shard 3 gave $code"; exit 1; }

job=$(sbatch --parsable --array="$("$osteon" shard status "$shards" --missing)" "$dir/job.sh")
say "job $job: task 3 again"
until_true 900 over "$job"
"$osteon" shard status "$shards"
"$osteon" shard merge "$shards"
"$osteon" --quiet verify
"$osteon" export features >"$dir/cluster.csv"
cmp "$dir/single.csv" "$dir/cluster.csv"
say "the merged study has the features of one machine, byte for byte: $(sha256sum <"$dir/cluster.csv" | cut -c1-16)"
"$osteon" shard merge "$shards"
"$osteon" extract
