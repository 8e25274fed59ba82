#!/bin/bash
# Runs libFuzzer programs, as many at a time as there are cores: scripts/fuzz.sh SECONDS|runs=COUNT PROGRAM...
# Known inputs come from tests/fuzz/corpus/<name>/ and tests/fuzz/<name>.dict; new ones stay beside the program. An
# input that crashes is printed and left in crashes/: it becomes a unit test, and then part of the corpus.
set -euo pipefail
case $1 in runs=*) limit=-runs=${1#runs=} ;; *) limit=-max_total_time=$1 ;; esac
shift
if [ $# -eq 0 ]; then
    echo "fuzz: no targets in tests/fuzz yet"
    exit 0
fi

fuzz() {
    local program=$1 name folder log
    name=$(basename "$program")
    folder=$(dirname "$program")
    log=$folder/$name.log
    mkdir -p "$folder/corpus/$name" "$folder/crashes"
    local inputs=("$folder/corpus/$name") options=()
    [ ! -d "tests/fuzz/corpus/$name" ] || inputs+=("tests/fuzz/corpus/$name")
    [ ! -f "tests/fuzz/$name.dict" ] || options+=("-dict=tests/fuzz/$name.dict")
    if "$program" "$limit" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$folder/crashes/$name-" "${options[@]}" "${inputs[@]}" >"$log" 2>&1; then
        echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, no crash"
    else
        echo "fuzz: $name failed"$'\n'"$(tail -n 60 "$log")"
        return 1
    fi
}

cores=$(nproc)
failed=0
running=0
for program in "$@"; do
    if [ "$running" -eq "$cores" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz "$program" &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
if [ "$failed" -ne 0 ]; then
    echo "fuzz: a target failed" >&2
fi
exit "$failed"
