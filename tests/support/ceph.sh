#!/bin/bash
# A throw-away Ceph with its S3 gateway (RGW), for tests of the lake on S3: it verifies signatures and knows conditional
# writes.
#
#   endpoint=$(tests/support/ceph.sh start DIR)   makes one in DIR (new or empty), starts it, prints http://127.0.0.1:PORT
#   tests/support/ceph.sh stop DIR                stops it and removes DIR
#
# One monitor and one store in memory; the keys are AKTEST and SKTEST, and buckets also answer at NAME.localhost. Tests
# that find CMMC_TEST_S3 set to the endpoint run against it. Exit status 77: Ceph is not installed here.
set -euo pipefail

command=${1:?start or stop}
dir=${2:?folder}

stop_all() {
    local file
    for file in "$dir"/*.pid; do
        [ ! -e "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || true
    done
}

if [ "$command" = stop ]; then
    stop_all
    rm -rf "$dir"
    exit 0
fi
for program in ceph-mon ceph-osd radosgw radosgw-admin monmaptool ceph-authtool; do
    if ! command -v $program >/dev/null; then
        echo "ceph.sh: $program is not installed" >&2
        exit 77
    fi
done

# Below 32768, where the kernel does not take ports for outgoing connections.
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

# Runs a daemon in the background, its pid kept in DIR.
daemon() {
    local name=$1
    shift
    setsid "$@" >"$dir/$name.out" 2>&1 </dev/null &
    echo $! >"$dir/$name.pid"
}

# Waits for a command to succeed, 60 s at most.
await() {
    local i
    for i in $(seq 300); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.2
    done
    echo "ceph.sh: this did not come true within a minute: $*" >&2
    tail -n 5 "$dir"/*.out >&2
    stop_all
    exit 1
}

mkdir -p "$dir"/{mon,osd,rgw,run}
cd "$dir"
dir=$PWD
mon=$(free_port)
port=$(free_port)
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >ceph.conf <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon/0]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon max pg per osd = 1000
osd crush chooseleaf type = 0
log file =
log to stderr = false
admin socket = $dir/run/\$name.asok
run dir = $dir/run
mon data = $dir/mon
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 1073741824
keyring = $dir/keyring
ms bind ipv4 = true
ms bind ipv6 = false
public network = 127.0.0.0/8
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = localhost
rgw multipart min part size = 5242880
rgw enable usage log = false
rgw run sync thread = false
rgw thread pool size = 64
rgw s3 auth use sts = true
rgw sts key = 0123456789abcdef
CONF
export CEPH_CONF=$dir/ceph.conf
ceph-authtool -C keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
monmaptool --create --clobber --addv a "[v2:127.0.0.1:$mon]" --fsid "$fsid" monmap >/dev/null
ceph-mon -i a --mkfs --monmap monmap --keyring keyring >/dev/null
daemon mon ceph-mon -i a -f
osd=$(cat /proc/sys/kernel/random/uuid)
await timeout 5 ceph osd new "$osd"
id=0
ceph auth get-or-create osd.$id mon 'allow profile osd' osd 'allow *' mgr 'allow profile osd' >>keyring 2>/dev/null
ceph-osd -i $id --mkfs --osd-uuid "$osd" >/dev/null 2>&1
daemon osd ceph-osd -i $id -f
daemon rgw radosgw -n client.admin -f
await curl -sf "http://127.0.0.1:$port/"
radosgw-admin user create --uid test --display-name test --access-key AKTEST --secret-key SKTEST >/dev/null 2>&1
# A role that the user may assume, for keys that end: arn:aws:iam:::role/lake.
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/test"]},"Action":["sts:AssumeRole"]}]}'
may='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]}'
radosgw-admin role create --role-name lake --path / --assume-role-policy-doc "$trust" >/dev/null 2>&1
radosgw-admin role-policy put --role-name lake --policy-name all --policy-doc "$may" >/dev/null 2>&1
echo "http://127.0.0.1:$port"
