#!/bin/sh
# Fills an empty database before the first serve, then becomes cmmc, so that it gets the container's signals itself.
set -eu
if [ "${1-}" = serve ]; then
    cmmc ingest --sample --if-empty
fi
exec cmmc "$@"
