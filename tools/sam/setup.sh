#!/usr/bin/env bash
# Make .venv-sam (the SAM CLI and the linter's serverless rules) and .venv-checkov, or only the one
# that is named. Quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

make_environment() { # folder, requirements…
    local folder=$1 wanted
    shift
    wanted=$(cat "$@" | cksum)
    if [[ -f $folder/made-from && $(<"$folder/made-from") == "$wanted" ]]; then return; fi
    rm -rf "$folder"
    "${PYTHON:-python3}" -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "${@/#/--requirement=}"
    echo "$wanted" >"$folder/made-from"
}

if [[ ${1:-.venv-sam} == .venv-sam ]]; then
    make_environment .venv-sam tools/sam/requirements.txt
fi
if [[ ${1:-.venv-checkov} == .venv-checkov ]]; then
    make_environment .venv-checkov tools/sam/checkov.txt
fi
