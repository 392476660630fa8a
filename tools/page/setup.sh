#!/usr/bin/env bash
# What the browser tests need besides Python: Chromium, a font with Chinese, axe-core. Quick when all is
# there. What cannot be had is told, and the tests that need it are skipped.
set -uo pipefail
cd "$(dirname "$0")/../.."

find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

install_browser() {
    command -v apt-get >/dev/null || return
    local as_root=()
    if [[ $(id -u) != 0 ]]; then
        sudo -n true 2>/dev/null || return
        as_root=(sudo -n)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qq -o Acquire::Retries=3)
    "${apt[@]}" update >/dev/null
    "${apt[@]}" install -y --no-install-recommends chromium fonts-dejavu-core fonts-wqy-zenhei >/dev/null
}

install_axe() {
    command -v npm >/dev/null || return
    local folder=tests/page
    [[ -f $folder/node_modules/axe-core/axe.min.js ]] && return
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent >/dev/null
}

find_browser >/dev/null || install_browser 2>/dev/null
find_browser >/dev/null || echo "no Chromium, and it cannot be installed: the browser tests will be skipped" >&2
install_axe
[[ -f tests/page/node_modules/axe-core/axe.min.js ]] || echo "no axe-core: accessibility is not checked" >&2
exit 0
