#!/usr/bin/env bash
# `make sam-local`: the built application in real containers, by the SAM CLI's own commands, against a
# real S3 server. Starts everything it needs in a temporary folder and takes it away again. Where no
# container engine can run, it says so and ends well. KEEP_BUILD=FOLDER uses and keeps a build.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tools/sam/engine.sh
source tools/sam/image.sh
source tools/sam/store.sh

export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1
PYTHON=$PWD/.venv/bin/python WEED=$PWD/.venv/bin/weed SAM=$PWD/.venv-sam/bin/sam
FOLDER=$(mktemp -d)
BUCKET=imagesearch-local
API_PID=

clean_up() {
    set +e
    if [[ -n $API_PID ]]; then kill "$API_PID" 2>/dev/null; wait "$API_PID" 2>/dev/null; fi
    store_stop
    if [[ -n ${ENGINE_PID:-} ]]; then
        docker ps --quiet --all | xargs --no-run-if-empty docker rm --force >/dev/null 2>&1
    fi
    engine_stop
    rm -rf "$FOLDER"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step() { printf '\n== %s\n' "$*"; }

skip() {
    echo "SKIPPED sam-local: $1"
    exit 0
}

tools/sam/setup.sh .venv-sam

step "container engine"
engine_start "$FOLDER/engine" >"$FOLDER/why" || skip "$(<"$FOLDER/why")"
docker version --format 'engine {{.Server.Version}}, API {{.Server.APIVersion}}'

step "sam build"
BUILD=${KEEP_BUILD:-$FOLDER/build}
"$SAM" build --build-dir "$BUILD" --no-cached 2>&1 | tail -3
"$PYTHON" -m tools.sam sizes "$BUILD"

step "S3 server"
store_start "$FOLDER/store" "$ENGINE_ADDRESS" "$BUCKET" || exit 1
echo "$STORE_URL"

step "base image from Debian's packages"
image_fetch || skip "the packages of Debian 13 cannot be fetched."
image_build "$FOLDER/engine" "$PYTHON" "$STORE_URL"
docker images --format '{{.Repository}}:{{.Tag}}  {{.Size}}' "$IMAGE"

cat >"$FOLDER/variables.json" <<VARIABLES
{"Parameters": {"IMAGESEARCH_BUCKET": "$BUCKET", "IMAGESEARCH_COMPACT_FUNCTION": ""}}
VARIABLES
LOCAL=(--template "$BUILD/template.yaml" --skip-pull-image --env-vars "$FOLDER/variables.json"
    --parameter-overrides Authorization=none --layer-cache-basedir "$FOLDER/layers")

step "sam local invoke: add, search, delete, search"
"$PYTHON" -m tools.sam.try_local invoke -- "$SAM" local invoke "${LOCAL[@]}"

step "sam local invoke: the other functions"
# Verify calls the Lambda API and CodeDeploy, which are not here; tests/template/test_built.py runs it.
for pair in CompactFunction:compact-daily AuthorizeFunction:authorize ContractFunction:contract-rpc \
    IncrementFunction:list-increments IngestFunction:ingest-sweep; do
    echo -n "${pair%:*} "
    "$SAM" local invoke "${LOCAL[@]}" "${pair%:*}" -e "events/${pair#*:}.json" 2>"$FOLDER/errors" |
        tail -1 | tee "$FOLDER/answer"
    echo
    if grep -q errorType "$FOLDER/answer"; then exit 1; fi
done

step "sam local start-api: the same over HTTP"
PORT=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$SAM" local start-api "${LOCAL[@]}" --port "$PORT" --warm-containers LAZY >"$FOLDER/api.log" 2>&1 &
API_PID=$!
for _ in {1..120}; do
    if (: </dev/tcp/127.0.0.1/"$PORT") 2>/dev/null; then break; fi
    kill -0 "$API_PID" 2>/dev/null || { tail -20 "$FOLDER/api.log"; exit 1; }
    sleep 0.5
done
"$PYTHON" -m tools.sam.try_local http "http://127.0.0.1:$PORT" || { tail -40 "$FOLDER/api.log"; exit 1; }

step "sam-local passed"
