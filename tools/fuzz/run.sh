#!/usr/bin/env bash
# Fuzz with atheris, in a virtual environment of its own over the project's packages. Where atheris
# cannot be installed it says so and mutates without being led by coverage.
set -euo pipefail
cd "$(dirname "$0")/../.."
main=$PWD/.venv/bin/python
packages=$("$main" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
python=.venv-fuzz/bin/python
if [[ ! -e .venv-fuzz/.installed || tools/fuzz/requirements.txt -nt .venv-fuzz/.installed ]]; then
  "$main" -m venv .venv-fuzz
  if "$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --require-hashes -r tools/fuzz/requirements.txt; then
    touch .venv-fuzz/.installed
  else
    echo "SKIPPED: atheris cannot be installed here; mutating without coverage instead" >&2
    python=$main
  fi
fi
export OMP_NUM_THREADS=1 PYTHONPATH=$PWD/layers/imagesearch:$PWD/local:$PWD:$packages
exec "$python" -m tests.fuzz "$@"
