#!/bin/bash
# A throw-away PostgreSQL server for tests.
#
#   url=$(tests/support/pg.sh start DIR)   makes a cluster in DIR (new or empty), starts it, prints its URL
#   tests/support/pg.sh replica DIR OF     makes a streaming replica in DIR of the running cluster in OF, prints its URL
#   tests/support/pg.sh kill DIR           stops it like a crash (pg_ctl -m immediate)
#   tests/support/pg.sh restart DIR        starts a stopped one again on the same port, prints its URL
#   tests/support/pg.sh halt DIR           stops it in order and keeps DIR
#   tests/support/pg.sh stop DIR           stops it and removes DIR
#
# PG_SH_OPTIONS is added to the server's options (the benchmarks give it more memory).
#
# Test programs that include tests/support/store_fixture.h run twice: once as they are (SQLite), and once with
# CMMC_TEST_PG_URL set to this URL (PostgreSQL). Each program makes a database of its own and drops it again, so
# programs may run at the same time against one server.
# A program that kills servers starts one of its own with this script.
#
# PostgreSQL refuses to run as root; then the user nobody runs it, and the folders above DIR must let it through
# (below /tmp they do). The server listens on 127.0.0.1 only, without a socket file. Binaries: PATH, or the newest below
# /usr/lib/postgresql. Exit status 77: no server binaries here.
set -euo pipefail

command=${1:?start, replica, kill, halt, restart or stop}
dir=${2:?folder of the cluster}

initdb=$(command -v initdb 2>/dev/null || find /usr/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -n 1)
bin=$(dirname "$(readlink -f "$initdb")")
if [ ! -x "$bin/initdb" ]; then
    echo "pg.sh: PostgreSQL's server binaries are not installed" >&2
    exit 77
fi

as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups "$@")
    else
        "$@"
    fi
}

# Below 32768, where the kernel does not take ports for outgoing connections; the start is what really takes it.
free_port() {
    local port
    while :; do
        port=$((15000 + RANDOM % 17000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

url() { echo "postgresql://postgres@127.0.0.1:$(cat "$dir/port")/postgres"; }

server_start() {
    as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -s -w -t 30 \
        -o "-p $(cat "$dir/port") -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off -c jit=off -c shared_buffers=64MB -c max_connections=200 \
        ${PG_SH_OPTIONS-}" start >/dev/null
}

case $command in
start)
    mkdir -p "$dir/data"
    dir=$(cd "$dir" && pwd)
    if [ "$(id -u)" -eq 0 ]; then
        chown nobody "$dir/data"
    fi
    chmod 0755 "$dir"
    as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >/dev/null
    for _ in 1 2 3 4 5; do
        free_port >"$dir/port"
        if server_start; then
            url
            exit 0
        fi
    done
    tail -n 20 "$dir/data/server.log" >&2
    exit 1
    ;;
replica)
    primary=$(cd "${3:?folder of the primary}" && pwd)
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    chmod 0755 "$dir"
    mkdir -m 0700 "$dir/data"
    if [ "$(id -u)" -eq 0 ]; then
        chown nobody "$dir/data"
    fi
    as_owner "$bin/pg_basebackup" -d "postgresql://postgres@127.0.0.1:$(cat "$primary/port")/postgres" \
        -D "$dir/data" -R -X stream -c fast
    for _ in 1 2 3 4 5; do
        free_port >"$dir/port"
        if server_start; then
            url
            exit 0
        fi
    done
    tail -n 20 "$dir/data/server.log" >&2
    exit 1
    ;;
kill)
    dir=$(cd "$dir" && pwd)
    as_owner "$bin/pg_ctl" -D "$dir/data" -s -m immediate stop
    ;;
halt)
    dir=$(cd "$dir" && pwd)
    as_owner "$bin/pg_ctl" -D "$dir/data" -s -m fast -w stop
    ;;
restart)
    dir=$(cd "$dir" && pwd)
    server_start
    url
    ;;
stop)
    dir=$(cd "$dir" && pwd)
    as_owner "$bin/pg_ctl" -D "$dir/data" -s -m immediate stop 2>/dev/null || true
    rm -rf "$dir"
    ;;
*)
    sed -n '4,8s/^# *//p' "$0" >&2
    exit 2
    ;;
esac
