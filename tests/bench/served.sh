#!/bin/bash
# Backtests over loopback, from connecting to the answer's last byte, one after the other.
#
#   tests/bench/served.sh [--rounds 200] [--sqlite-only] [--markdown docs/benchmarks-engine.md]
exec "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/engine/served.py" "$@"
