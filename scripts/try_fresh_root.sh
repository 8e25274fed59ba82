#!/bin/bash
# Proves `make test` and `make run` on a machine with nothing but make, git and certificates: a new root file system,
# a clone of what is committed here, and the two commands.
#
#   scripts/try_fresh_root.sh [SUITE [MIRROR [ROOT]]]
#
#   SUITE   bookworm (Debian 12) unless given; noble for Ubuntu 24.04
#   MIRROR  where SUITE comes from; unless given, what this machine's own apt uses for it
#   ROOT    where to build it; a fresh folder in TMPDIR unless given, kept afterwards when given
#   STEPS   what to do in it: "test run" unless given; "run" alone shows `make run` on an untouched system
#
# Needs root and debootstrap. Mounts and processes live in namespaces of their own and end with this script.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${1:-${SUITE:-bookworm}}
mirror=${2:-${MIRROR-}}
root=${3:-${ROOT-}}
steps=${STEPS-test run}

# The server's ports, when its defaults are taken on this machine.
ports=()
for name in CMMC_PORT CMMC_OPS_PORT; do
    if [ -n "${!name-}" ]; then ports+=("$name=${!name}"); fi
done

say() { echo "fresh root: $*"; }
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
    say "needs root and debootstrap" >&2
    exit 2
fi

# What apt here reads for this suite, its updates and its security fixes, one "uri suite components" a line.
sources() {
    if [ -n "$mirror" ]; then
        case $suite in
        noble | jammy) echo "$mirror $suite main universe" ;;
        *) echo "$mirror $suite main" ;;
        esac
        return
    fi
    apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(IDENTIFIER)' 'Identifier: Packages' |
        awk -v suite="$suite" '$2 == suite || index($2, suite "-") == 1 { print $1, $2, $3 }' | sort -u
}
sources=$(sources)
if [ -z "$mirror" ]; then
    mirror=$(awk -v suite="$suite" '$2 == suite { print $1; exit }' <<<"$sources")
fi
if [ -z "$mirror" ]; then
    say "apt on this machine has no source for $suite: name a mirror" >&2
    exit 2
fi

scratch=
if [ -z "$root" ]; then
    scratch=$(mktemp -d)
    root=$scratch/root
fi
running=
cleanup() {
    if [ -n "$running" ]; then
        kill -KILL -- "-$running" 2>/dev/null || true
    fi
    if [ -n "$scratch" ]; then
        rm -rf --one-file-system "$scratch"
    fi
}
trap cleanup EXIT

if [ ! -x "$root/usr/bin/apt-get" ]; then
    say "debootstrap $suite"
    mkdir -p "$root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        exit 1
    }
fi
rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
while read -r uri release components; do
    echo "deb $uri $release $components"
done <<<"$sources" >"$root/etc/apt/sources.list"
for file in /etc/resolv.conf /etc/hosts; do
    cp --dereference "$file" "$root$file"
done
# A proxy that apt here goes through is needed there as well.
apt-config dump | grep -E '^Acquire::https?::Proxy ' >"$root/etc/apt/apt.conf.d/00proxy" || true

# No environment of the caller: HOME, PATH and a locale, as after a login.
in_root() {
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        root=$1; shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
    ' bash "$root" "$@"
}

say "make, git and certificates, nothing else"
in_root DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get -q update && apt-get -q install -y --no-install-recommends make git ca-certificates' >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
}
rm -rf "$root/root/cmmc"
git clone -q --no-hardlinks . "$root/root/cmmc"
say "clone of $(git rev-parse --short HEAD)"

# Starts `make run`, waits until the command that it prints gets an answer, and stops it again. Milliseconds from start
# to answer: in $took.
try_run() {
    local log=$1 deadline=$2 command started answer
    : >"$log"
    started=$(date +%s%N)
    set -m # a process group of its own, so that the whole of it can be stopped
    in_root "${ports[@]}" make -C /root/cmmc run >"$log" 2>&1 &
    running=$!
    set +m
    took=
    while kill -0 $running 2>/dev/null && [ $(($(date +%s%N) - started)) -lt $((deadline * 1000000000)) ]; do
        command=$(grep -oE 'curl [^`]*' "$log" | tail -n 1 || true)
        if [ -n "$command" ] && answer=$(bash -c "$command -f -s" 2>/dev/null); then
            took=$((($(date +%s%N) - started) / 1000000))
            break
        fi
        sleep 0.05
    done
    if [ -z "$took" ]; then
        tail -n 30 "$log" >&2
        say "make run gave no answer" >&2
        return 1
    fi
    say "last line: $(tail -n 1 "$log")"
    say "answer in $took ms: ${answer:0:200}"
    kill -TERM -- "-$running"
    for _ in $(seq 150); do
        kill -0 -- "-$running" 2>/dev/null || break
        sleep 0.1
    done
    if kill -KILL -- "-$running" 2>/dev/null; then
        say "make run did not stop within 15 s of SIGTERM" >&2
        return 1
    fi
    wait "$running" 2>/dev/null || true
    running=
}

for step in $steps; do
    say "make $step"
    case $step in
    test)
        started=$SECONDS
        in_root make -C /root/cmmc test
        say "make test passed in $((SECONDS - started)) s"
        ;;
    run)
        try_run "$root.run1" 900
        try_run "$root.run2" 30
        if [ "$took" -ge 2000 ]; then
            say "the second start took $took ms until its first answer; the limit is 2000" >&2
            exit 1
        fi
        ;;
    *)
        say "no such step: $step" >&2
        exit 2
        ;;
    esac
done
say "passed"
