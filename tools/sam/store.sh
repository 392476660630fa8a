#!/usr/bin/env bash
# A SeaweedFS server on an address that containers reach. Source this file.
#
#   store_start FOLDER ADDRESS BUCKET   start it with the bucket; sets STORE_URL and AWS_* keys
#   store_stop                          end it

store_start() {
    local folder=$1 address=$2 bucket=$3 port=8333
    mkdir -p "$folder/objects"
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=localsecret
    (cd "$folder" && exec "${WEED:?}" mini -dir=objects -ip="$address" -ip.bind="$address" \
        -s3.port=$port -s3.port.iceberg=0 -s3.port.lance=0 -bucket="$bucket" \
        -s3.autoCreateBucket=false -master.telemetry=false -admin.ui=false -webdav=false \
        -volume.preStopSeconds=0 -filer.localSocket="$folder/filer.sock" \
        -s3.localSocket="$folder/s3.sock") >"$folder/log" 2>&1 &
    STORE_PID=$!
    STORE_URL=http://$address:$port
    for _ in {1..20}; do
        if _store_takes_writes "$bucket" 2>/dev/null; then return; fi
        kill -0 "$STORE_PID" 2>/dev/null || break
        sleep 0.5
    done
    echo "SeaweedFS does not start: $(tail -1 "$folder/log")"
    return 1
}

_store_takes_writes() {
    "${PYTHON:?}" - "$STORE_URL" "$1" <<'PROBE'
import sys
import boto3
from botocore.config import Config
once = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", config=once)
s3.put_object(Bucket=sys.argv[2], Key="probe", Body=b"x")
s3.delete_object(Bucket=sys.argv[2], Key="probe")
PROBE
}

store_stop() {
    if [[ -n ${STORE_PID:-} ]]; then
        kill "$STORE_PID" 2>/dev/null
        wait "$STORE_PID" 2>/dev/null
        unset STORE_PID
    fi
}
