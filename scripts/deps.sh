#!/bin/bash
# Installs the distribution packages that a job needs and that are missing; says which, and does nothing else.
#
#   scripts/deps.sh run|test|check
#   NO_INSTALL=1 scripts/deps.sh ...   only looks: prints the command to type and fails if something is missing
#
# The three lists grow: run is what building and serving needs, test adds what `make test` starts, check adds the
# tools of the other checks. "a | b" is satisfied by either and installs the first one that the distribution has;
# "| none" at the end does without.
set -euo pipefail

run_packages='
gcc
make
pkg-config
libc6-dev
libmicrohttpd-dev
libjansson-dev
libpq-dev
libsqlite3-dev
libyaml-dev
libssl-dev
zlib1g-dev
libzstd-dev
libbrotli-dev
libhiredis-dev
libcurl4-openssl-dev
libexpat1-dev
liblapack-dev
libblas-dev
'

# Ceph's monitor, store and S3 gateway are started by tests/support/ceph.sh; without a configuration in /etc/ceph its services
# start nothing.
# Swift alone (python3-swift, without its services) is the second server of S3, started by tests/support/swift.py.
# botocore looks at what is sent to S3, and reads what was written there.
# redis-tools alone is enough for Redis, since it carries the server's binary too (redis-check-rdb, run under the name
# redis-server) and registers no service.
test_packages='
libcmocka-dev
postgresql
redis-tools
python3
python3-yaml
python3-botocore
curl
openssl
jq
libfaketime
stunnel4
ceph-mon
ceph-osd
radosgw
python3-swift
'

# The browser tests say that they are skipped where a distribution has no Chromium package of its own (Ubuntu).
# Formatting and lint findings differ between LLVM releases, so every distribution is asked for the same one first.
check_packages='
clang-14 | clang
clang-format-14 | clang-format
clang-tidy-14 | clang-tidy
clang-tools-14 | clang-tools
libclang-rt-14-dev | libclang-rt-dev
chromium | none
npm | nodejs
python3-venv
'

case "${1-}" in
run) wanted=$run_packages ;;
test) wanted=$run_packages$test_packages ;;
check) wanted=$run_packages$test_packages$check_packages ;;
*)
    echo "usage: [NO_INSTALL=1] $0 run|test|check" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "deps: no dpkg here, so nothing is checked or installed. The Debian names of what is needed:" >&2
    echo "deps:" $wanted >&2
    exit 0
fi

# One query for everything; names that dpkg has never heard of only make it exit non-zero.
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' ${wanted//|/ } 2>/dev/null |
    sed -n 's/ installed$//p' || true)
is_installed() { case $'\n'"$installed"$'\n' in *$'\n'"$1"$'\n'*) true ;; *) false ;; esac }

missing=()
while read -r line; do
    [ -n "$line" ] || continue
    found=no
    for name in ${line//|/ }; do
        if is_installed "$name"; then
            found=yes
        fi
    done
    [ $found = yes ] || missing+=("$line")
done <<<"$wanted"
[ ${#missing[@]} -gt 0 ] || exit 0

has_candidate() { [[ $(apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(] ]]; }

# Settles each "a | b" by what apt can offer; before the first `apt-get update` that may be nothing: then the first.
chosen=()
choose() {
    local line name pick
    chosen=()
    for line in "${missing[@]}"; do
        pick=${line%% *}
        if [ "$line" != "$pick" ]; then
            for name in ${line//|/ }; do
                if [ "$name" = none ]; then
                    pick=
                elif has_candidate "$name"; then
                    pick=$name
                    break
                fi
            done
        fi
        [ -z "$pick" ] || chosen+=("$pick")
    done
}

choose
[ ${#chosen[@]} -gt 0 ] || exit 0
sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
refuse() {
    echo "deps: missing: ${chosen[*]}" >&2
    echo "deps: $1" >&2
    echo "    ${2}apt-get install --no-install-recommends ${chosen[*]}" >&2
    exit 1
}
if [ -n "${NO_INSTALL-}" ] && [ "$NO_INSTALL" != 0 ]; then
    refuse "NO_INSTALL is set; to install them, run:" "${sudo[*]}${sudo[*]:+ }"
fi
if [ ${#sudo[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
    refuse "not root, and there is no sudo here; as root, run:" ""
fi

apt_get() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# PostgreSQL's package would create and start a database cluster of its own. Its one switch for that is a file, so
# the file is there while apt runs and gone afterwards: the tests get the binaries and the machine gets no service.
switch=/etc/postgresql-common/createcluster.d/zz-cmmc-install.conf
switch_dirs=()
hold_back_cluster() {
    local dir
    for dir in /etc/postgresql-common /etc/postgresql-common/createcluster.d; do
        if [ ! -d $dir ]; then
            "${sudo[@]}" mkdir $dir
            switch_dirs=("$dir" "${switch_dirs[@]}")
        fi
    done
    echo "create_main_cluster = false" | "${sudo[@]}" tee $switch >/dev/null
}
release_cluster_switch() {
    "${sudo[@]}" rm -f $switch
    for dir in "${switch_dirs[@]}"; do
        "${sudo[@]}" rmdir $dir 2>/dev/null || true
    done
}

echo "deps: installing what is missing: ${chosen[*]}"
apt_get update
choose
echo "deps: apt-get install ${chosen[*]}"
case " ${chosen[*]} " in
*" postgresql "*)
    trap release_cluster_switch EXIT
    hold_back_cluster
    ;;
esac
[ ${#chosen[@]} -eq 0 ] || apt_get install -y --no-install-recommends "${chosen[@]}"
echo "deps: done"
