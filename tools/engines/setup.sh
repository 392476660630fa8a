#!/usr/bin/env bash
# Make .venv-engines: Milvus's client and its embedded form, and moto, beside what .venv has.
# tests/engines and benchmarks/engines look there. Quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
wanted=$( (echo "$python" && cat tools/engines/requirements.txt) | cksum)
if [[ -f .venv-engines/made-from && $(<.venv-engines/made-from) == "$wanted" ]]; then exit; fi
rm -rf .venv-engines
"$python" -m venv .venv-engines
.venv-engines/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    --requirement tools/engines/requirements.txt
echo "$wanted" >.venv-engines/made-from
