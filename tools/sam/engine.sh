#!/usr/bin/env bash
# A container engine of our own, for `make sam-local`: started in a folder, seen by nobody else, and
# gone afterwards. Source this file; it needs root, cgroups and Debian's packages docker.io and
# mmdebstrap (installed when missing).
#
#   engine_start FOLDER   start it; sets DOCKER_HOST, and ENGINE_ADDRESS, where containers reach us.
#                         Returns 1, with the reason, where it cannot run.
#   engine_stop           end it and take its network away.

_engine_packages() {
    command -v dockerd >/dev/null && command -v mmdebstrap >/dev/null && return
    command -v apt-get >/dev/null || { echo "no dockerd, and no apt-get to install it with"; return 1; }
    { apt-get update -q && apt-get install -y -q --no-install-recommends docker.io mmdebstrap; } \
        >"$1/apt.log" 2>&1 || { echo "docker.io cannot be installed: $(tail -1 "$1/apt.log")"; return 1; }
}

engine_start() {
    local folder=$1
    mkdir -p "$folder"
    [[ $(id -u) == 0 ]] || { echo "a private container engine needs root"; return 1; }
    _engine_packages "$folder" || return 1
    ENGINE_BRIDGE=sislocal$((RANDOM % 1000))
    ENGINE_ADDRESS=172.31.$((RANDOM % 200 + 20)).1
    ip link add name "$ENGINE_BRIDGE" type bridge 2>"$folder/bridge.log" &&
        ip addr add "$ENGINE_ADDRESS/24" dev "$ENGINE_BRIDGE" 2>>"$folder/bridge.log" &&
        ip link set "$ENGINE_BRIDGE" up ||
        { echo "no network bridge can be made: $(tail -1 "$folder/bridge.log")"; engine_stop; return 1; }
    dockerd --host "unix://$folder/docker.sock" --data-root "$folder/data" \
        --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" --storage-driver overlay2 \
        --bridge "$ENGINE_BRIDGE" --iptables=false --ip6tables=false --ip-masq=false \
        --ip-forward=false --userland-proxy=true --exec-opt native.cgroupdriver=cgroupfs \
        >"$folder/dockerd.log" 2>&1 &
    ENGINE_PID=$!
    export DOCKER_HOST=unix://$folder/docker.sock
    for _ in {1..60}; do
        docker info >/dev/null 2>&1 && return
        kill -0 "$ENGINE_PID" 2>/dev/null || break
        sleep 0.5
    done
    echo "dockerd does not start: $(tail -1 "$folder/dockerd.log")"
    engine_stop
    return 1
}

engine_stop() {
    if [[ -n ${ENGINE_PID:-} ]]; then
        kill "$ENGINE_PID" 2>/dev/null
        wait "$ENGINE_PID" 2>/dev/null
    fi
    if [[ -n ${ENGINE_BRIDGE:-} ]]; then ip link delete "$ENGINE_BRIDGE" 2>/dev/null; fi
    unset ENGINE_PID ENGINE_BRIDGE ENGINE_ADDRESS
}
