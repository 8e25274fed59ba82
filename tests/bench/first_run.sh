#!/bin/bash
# The figures of a first run; see first_run.py.
exec "${PYTHON:-python3}" "$(dirname "$0")/first_run.py" "$@"
