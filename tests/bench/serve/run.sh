#!/bin/bash
# Reading beside its peers, each in one run: rates, latencies, memory, processor time per request.
#
#   tests/bench/serve/run.sh [--quick] [--data DIR] [--markdown docs/benchmarks.md] [SCENARIO]...
#
# Scenarios: hit 304 redis-row redis-page row page csv json memory latency pages; all without a name, in about ten
# minutes. --data keeps the filled PostgreSQL in DIR for the next run. Needs beside the packages of `make test`:
# redis-server, curl, python3-venv, and for the peer in Go a current Go. What is missing is said, and the rest is run.
exec "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/bench.py" "$@"
