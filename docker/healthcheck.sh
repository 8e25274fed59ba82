#!/bin/bash
# Healthy when the server in this container says on its ops listener that it should receive traffic. Bash speaks enough
# HTTP for that, so the image needs no client.
set -euo pipefail
port=${CMMC_OPS_PORT:-8081}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&3
read -r -t 2 _ code _ <&3
[ "$code" = 200 ]
