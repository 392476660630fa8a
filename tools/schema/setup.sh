#!/usr/bin/env bash
# Make .venv-schema: schemathesis, which tries the API by its own description. Quick when there is
# nothing to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
wanted=$( (echo "$python" && cat tools/schema/requirements.txt) | cksum)
if [[ -f .venv-schema/made-from && $(<.venv-schema/made-from) == "$wanted" ]]; then exit; fi
rm -rf .venv-schema
"$python" -m venv .venv-schema
.venv-schema/bin/pip install --quiet --disable-pip-version-check \
    --requirement=tools/schema/requirements.txt
echo "$wanted" >.venv-schema/made-from
