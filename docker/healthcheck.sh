#!/bin/bash
# Healthy when the server in this container answers 200 on /healthz; bash speaks enough HTTP for that.
set -euo pipefail
port=${CMMC_HTTP_PORT:-8080}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&3
read -r -t 2 _ code _ <&3
[ "$code" = 200 ]
