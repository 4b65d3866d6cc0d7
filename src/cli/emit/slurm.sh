#!/bin/bash
#SBATCH --job-name=@NAME@
#SBATCH --array=1-@SHARDS@@AT_ONCE@
#SBATCH --cpus-per-task=@CPUS@
#SBATCH --mem=@MEMORY@G
#SBATCH --time=@HOURS@:00:00
#SBATCH --signal=B:TERM@30
#SBATCH --output=/dev/null
#
# Submit:      sbatch THIS_FILE
# Again:       sbatch --array="$(osteon shard status FOLDER --missing)" THIS_FILE
# At the end:  osteon --study STUDY shard merge FOLDER
# An array of more than 1,000 tasks needs a larger MaxArraySize in slurm.conf.
# A path may hold a dollar.
# shellcheck disable=SC2016
set -euo pipefail
umask 077

osteon=@PROGRAM@
plan=@PLAN@
folder=@FOLDER@
shard=$SLURM_ARRAY_TASK_ID

exec >"$folder/shard-$shard.log" 2>&1
export TMPDIR="${SLURM_TMPDIR:-${TMPDIR:-/tmp}}"
echo "$(date -u +%FT%TZ) $(hostname): task $shard of job ${SLURM_ARRAY_JOB_ID:-}"

status=0
"$osteon" --threads "${SLURM_CPUS_PER_TASK:-1}" shard run "$plan" "$shard" -o "$folder/shard-$shard.db" &
child=$!
trap 'kill -TERM "$child"' TERM
wait "$child" || status=$?
# A signal ends the first wait before its child ends.
if kill -0 "$child" 2>/dev/null; then wait "$child" || status=$?; fi
# 1: the shard is whole, some of its patients failed; the merge names them.
if [ "$status" -gt 1 ]; then exit "$status"; fi
