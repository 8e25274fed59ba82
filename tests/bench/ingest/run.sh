#!/bin/bash
# The pipeline from the lake to the marts on PostgreSQL, beside COPY of the same rows and the same pipeline in pandas: straight from
# memory into marts, and by way of a warehouse; tables loaded once by COPY and once, for a part of the stocks, by INSERT in pages.
# --statements: the pipeline alone, and where PostgreSQL's seconds go.
#
#   tests/bench/ingest/run.sh [--stocks 300] [--sessions 600] [--no-peer] [--pandas-stocks N] [--insert-stocks N] [--statements]
#       [--mark MARK] [--markdown FILE]
#
# --markdown puts the tables between the marks of a page: <!-- run --> or <!-- statements -->, or those of --mark.
#
# The whole of Korea over ten years is --stocks 2700 --sessions 2480; pandas would want 14 GB for it: --pandas-stocks 300. Packages come from the Python package index.
exec "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/bench.py" "$@"
