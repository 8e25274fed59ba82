#!/bin/bash
# The engine beside its peers on the same portfolios: seconds, ratios, flatness, memory, share of the roofline; and what
# sweeps get through as jobs (jobs.py).
#
#   tests/bench/engine/run.sh [--quick] [--no-peers] [--markdown docs/benchmarks-engine.md]
#   tests/bench/engine/run.sh --floors [--markdown docs/benchmarks-engine.md]    the simulation alone, in half a minute
#
# Times are processor time. The peers come from the Python package index; without it their rows are left out.
exec "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/bench.py" "$@"
