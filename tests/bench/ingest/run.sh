#!/bin/bash
# The pipeline from the lake to the marts on PostgreSQL, beside COPY of the same rows and the same pipeline in pandas, which loads
# its tables once by COPY and once, for a part of the stocks, by INSERT in pages.
#
#   tests/bench/ingest/run.sh [--stocks 300] [--sessions 600] [--no-peer] [--pandas-stocks N] [--insert-stocks N] [--markdown FILE]
#
# The whole of Korea over ten years is --stocks 2700 --sessions 2480; pandas would want 14 GB for it: --pandas-stocks 300. Packages come from the Python package index.
exec "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/bench.py" "$@"
