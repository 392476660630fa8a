#!/usr/bin/env bash
# Make .venv-sam (the SAM CLI and the linter's serverless rules), .venv-checkov and .venv-account (an
# emulated AWS account), or only the one that is named. Quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

make_environment() { # folder, python, requirements…
    local folder=$1 python=$2 wanted
    shift 2
    wanted=$( (echo "$python" && cat "$@") | cksum)
    if [[ -f $folder/made-from && $(<"$folder/made-from") == "$wanted" ]]; then return; fi
    rm -rf "$folder"
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "${@/#/--requirement=}"
    echo "$wanted" >"$folder/made-from"
}

python=${PYTHON:-python3}
if [[ ${1:-.venv-sam} == .venv-sam ]]; then
    make_environment .venv-sam "$python" tools/sam/requirements.txt
fi
if [[ ${1:-.venv-checkov} == .venv-checkov ]]; then
    make_environment .venv-checkov "$python" tools/sam/checkov.txt
fi
if [[ ${1:-.venv-account} == .venv-account ]]; then
    # The emulator runs functions with the Python it runs on itself, so it needs the one of Lambda.
    if lambda=$("$python" -m tools.sam.interpreter); then
        make_environment .venv-account "$lambda" tools/sam/account.txt
    else
        echo "SKIPPED .venv-account: $lambda"
    fi
fi
