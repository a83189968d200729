#!/usr/bin/env bash
# A Ray cluster of several nodes on this (Linux) machine, no cloud: each node a raylet of its own, with its own ports.
#
#   cluster/local.sh start [WORKERS] [CPUS]    a head without CPUs and WORKERS (1) nodes of CPUS (1) each
#   eval "$(cluster/local.sh env)"             this shell now talks to it: ray status, ray job submit, seisray
#   cluster/local.sh status
#   cluster/local.sh kill N                    kill node N (1, 2, ...) at once, to see a job survive it
#   cluster/local.sh add [CPUS]                one more node
#   cluster/local.sh stop
#
# Loopback only, token authentication on. `ray stop` would end every Ray process of the machine; `stop` ends its own.
# SEISRAY_LOCAL_DIR (short: sockets live in it) and SEISRAY_LOCAL_PORT place it; two clusters need two of each.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${SEISRAY_LOCAL_DIR:-/tmp/seisray-$(id -u)}
port=${SEISRAY_LOCAL_PORT:-26379} # the lowest of its ports
api=http://127.0.0.1:$((port + 10))
export RAY_AUTH_TOKEN_PATH=$dir/auth_token
# shellcheck source=cluster/env.sh
. "$here/env.sh"
unset RAY_ADDRESS RAY_AUTH_TOKEN
# Ray turns 127.0.0.1 into the machine's own address and then listens on all of them, except where this switch is off;
# with it off, `ray start` takes no workers. So: off for all processes, and on in the one check that asks.
export RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0
ray_on_loopback='
from ray._private import ray_constants, services
from ray.scripts.scripts import main
ray_constants.ENABLE_RAY_CLUSTER = True
services.get_node_ip_address = lambda address=None: "127.0.0.1"
main()'
export AUTOSCALER_METRIC_PORT=$((port + 11)) DASHBOARD_METRIC_PORT=$((port + 12))

die() { echo "local.sh: $*" >&2; exit 2; }

nodes() { find "$dir" -maxdepth 1 -name 'node-*.pid' 2> /dev/null | sed 's/.*node-\(.*\)\.pid/\1/' | sort -rn; }

members() { # pids of node $1: the session that it was started in, unless that number has gone to somebody else
  local session command
  session=$(cat "$dir/node-$1.pid" 2> /dev/null) || return 0
  command=$( (tr -d '\0' < "/proc/$session/cmdline") 2> /dev/null || true)
  [[ -z $command || $command == *ray_constants* ]] || return 0
  ps -o pid=,stat= -s "$session" | awk '$2 !~ /^Z/ {print $1}'
}

stop_node() { # node N
  [ -z "$(members "$1")" ] || kill -TERM "$(cat "$dir/node-$1.pid")" 2> /dev/null || true
  for _ in $(seq 40); do
    [ -n "$(members "$1")" ] || break
    sleep 0.25
  done
  # shellcheck disable=SC2046
  [ -z "$(members "$1")" ] || kill -KILL $(members "$1") 2> /dev/null || true
  rm -f "$dir/node-$1.pid"
}

stop() {
  local n pid children=""
  for n in $(nodes); do children+=" $(ps -o pid= --ppid "$(members "$n" | paste -sd, -)" 2> /dev/null || true)"; done
  for n in $(nodes); do stop_node "$n"; done # the head (0) last
  for pid in $children; do # job drivers have sessions of their own; they end seconds after their cluster
    for _ in $(seq 40); do [ -e "/proc/$pid" ] && sleep 0.25 || break; done
  done
  rm -rf "$dir/ray" "$RAY_AUTH_TOKEN_PATH"
}

start_node() { # node N, then options of `ray start`
  local n=$1 base=$((port + 20 * $1)) workers=$((port + 2000 + 200 * $1)) log=$dir/node-$1.log
  shift
  setsid python -c "$ray_on_loopback" start --block --node-ip-address=127.0.0.1 --object-store-memory=200000000 \
    --object-manager-port=$((base + 1)) --node-manager-port=$((base + 2)) --dashboard-agent-listen-port=$((base + 3)) \
    --dashboard-agent-grpc-port=$((base + 4)) --runtime-env-agent-port=$((base + 5)) \
    --metrics-export-port=$((base + 6)) --min-worker-port="$workers" --max-worker-port=$((workers + 199)) \
    "$@" < /dev/null > "$log" 2>&1 &
  echo $! > "$dir/node-$n.pid"
  for _ in $(seq 240); do # one node after another: raylets that start together take the same socket names
    sleep 0.25
    ! grep -q "Ray runtime started" "$log" || return 0
    [ -n "$(members "$n")" ] || break
  done
  tail -n 20 "$log" >&2
  stop_node "$n"
  [ -n "$(nodes)" ] || stop
  die "node $n did not start; its log is above"
}

start() {
  [ -z "$(nodes)" ] || die "already started in $dir; run: cluster/local.sh stop"
  mkdir -p "$dir" && chmod 700 "$dir"
  (umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' > "$RAY_AUTH_TOKEN_PATH")
  start_node 0 --head --port="$port" --num-cpus=0 --temp-dir="$dir/ray" \
    --ray-client-server-port=$((port + 9)) --dashboard-host=127.0.0.1 --dashboard-port=$((port + 10))
  for n in $(seq "${1:-1}"); do start_node "$n" --address="127.0.0.1:$port" --num-cpus="${2:-1}"; done
  echo "$(nodes | wc -l) nodes; dashboard $api"
}

add() {
  [ -n "$(nodes)" ] || die "no cluster in $dir; run: cluster/local.sh start"
  local n=$(($(nodes | head -1) + 1))
  start_node "$n" --address="127.0.0.1:$port" --num-cpus="${1:-1}"
  echo "node $n joined"
}

case ${1:-} in
  start) start "${@:2}" ;;
  add) add "${@:2}" ;;
  stop) stop ;;
  kill) # shellcheck disable=SC2046
    kill -KILL $(members "${2:?which node}") ;;
  status)
    [ -n "$(nodes)" ] || die "no cluster in $dir; run: cluster/local.sh start"
    ray status --address "127.0.0.1:$port" ;;
  env)
    { grep -oE '^export [A-Z0-9_]+' "$here/env.sh" && echo export RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER; } |
      while read -r _ name; do echo "export $name='${!name}'"; done
    echo "export RAY_ADDRESS=127.0.0.1:$port RAY_API_SERVER_ADDRESS=$api" ;;
  *) sed -n '2,/^set /s/^#\( \|$\)//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
