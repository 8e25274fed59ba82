#!/bin/bash
# Runs libFuzzer programs one after the other: scripts/fuzz.sh SECONDS|runs=COUNT PROGRAM...
# Known inputs come from tests/fuzz/corpus/<name>/ and tests/fuzz/<name>.dict; new ones stay beside the program. An
# input that crashes is printed and left in crashes/: it becomes a unit test, and then part of the corpus.
set -euo pipefail
case $1 in runs=*) limit=-runs=${1#runs=} ;; *) limit=-max_total_time=$1 ;; esac
shift
if [ $# -eq 0 ]; then
    echo "fuzz: no targets in tests/fuzz yet"
    exit 0
fi
failed=()
for program in "$@"; do
    name=$(basename "$program")
    folder=$(dirname "$program")
    mkdir -p "$folder/corpus/$name" "$folder/crashes"
    inputs=("$folder/corpus/$name")
    [ -d "tests/fuzz/corpus/$name" ] && inputs+=("tests/fuzz/corpus/$name")
    options=()
    [ -f "tests/fuzz/$name.dict" ] && options+=("-dict=tests/fuzz/$name.dict")
    log=$folder/$name.log
    if "$program" "$limit" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$folder/crashes/$name-" "${options[@]}" "${inputs[@]}" >"$log" 2>&1; then
        echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, no crash"
    else
        tail -n 60 "$log"
        failed+=("$name")
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: failed: ${failed[*]}" >&2
    exit 1
fi
