#!/bin/bash
# Run it; run it again after trouble: shards that are whole are left alone.
# GNU parallel takes machines from --sshloginfile in the variable PARALLEL, where folders have the same names.
# A path may hold a dollar.
# shellcheck disable=SC2016
set -euo pipefail
umask 077

export osteon=@PROGRAM@
export plan=@PLAN@
export folder=@FOLDER@
study=@STUDY@

run_shard() {
    local status=0
    "$osteon" --quiet --threads @CPUS@ shard run "$plan" "$1" -o "$folder/shard-$1.db" || status=$?
    # 1: the shard is whole, some of its patients failed; the merge names them.
    [ "$status" -le 1 ]
}
export -f run_shard
SHELL=$(type -p bash)
export SHELL

seq 1 @SHARDS@ | parallel --env osteon --env plan --env folder --env run_shard@AT_ONCE@ run_shard
"$osteon" --study "$study" shard merge "$folder"
