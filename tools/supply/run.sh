#!/usr/bin/env bash
# The supply chain: tools/supply/run.sh lock | audit | sbom
#   lock   pins every package that development and local runs use, with hashes (requirements.lock)
#   audit  asks the advisory database about every pinned package; SKIPPED where it cannot be reached
#   sbom   writes what is installed, with its licences (docs/sbom.cdx.json, docs/licences.md)
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.venv-supply

tools() { # installs the tools when they are not there; quick otherwise
  if [[ ! -e $venv/.installed || tools/supply/requirements.txt -nt $venv/.installed ]]; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
      --requirement tools/supply/requirements.txt
    touch "$venv/.installed"
  fi
}

compile() { # output, inputs…
  "$venv/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-header --no-annotate --output-file "$@"
}

case "${1:-}" in
  lock)
    tools
    compile requirements.lock --extra local --extra dev pyproject.toml tools/supply/build.in
    compile tools/supply/requirements.txt tools/supply/requirements.in
    ;;
  audit)
    if ! tools 2>/dev/null; then
      echo "SKIPPED: pip-audit cannot be installed here"
      exit 0
    fi
    "$venv/bin/python" tools/supply/audit.py requirements.lock tools/supply/requirements.txt \
      layers/runtime/requirements.txt tools/engines/requirements.txt
    ;;
  sbom)
    tools
    "$venv/bin/cyclonedx-py" environment --output-reproducible --spec-version 1.6 \
      --pyproject pyproject.toml --output-file docs/sbom.cdx.json .venv/bin/python
    .venv/bin/python tools/supply/licences.py
    ;;
  *)
    sed -n '2,6p' "$0"
    exit 2
    ;;
esac
