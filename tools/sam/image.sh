#!/usr/bin/env bash
# Build the base image that `sam local` looks for, without pulling anything: Debian 13's Python 3.13
# with AWS's own runtime client and boto3. It proves the wiring, the layers and the code; not the
# glibc of Amazon Linux, for which the wheels' platform tags vouch. Debian itself is kept in .cache/sam for the next
# time. Source this file.
#
#   image_fetch                    brings Debian; fails where its packages cannot be reached.
#   image_build FOLDER PYTHON S3   PYTHON is one whose pip fetches the runtime client; S3 is the
#                                  address that stands in for Amazon S3 inside the containers.

IMAGE=public.ecr.aws/lambda/python:3.13-x86_64

image_fetch() {
    mkdir -p .cache/sam
    if [[ -f .cache/sam/trixie.tar ]]; then return; fi
    _debian .cache/sam/new.tar || _debian .cache/sam/new.tar || return 1 # mirrors have moments
    mv .cache/sam/new.tar .cache/sam/trixie.tar
}

image_build() {
    local folder=$1/image python=$2 s3=$3
    mkdir -p "$folder"
    cp .cache/sam/trixie.tar "$folder/rootfs.tar"
    "$python" -m pip install --quiet --disable-pip-version-check --target "$folder/runtime" \
        --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 --python-version 3.13 \
        --implementation cp --only-binary=:all: "awslambdaric==4.2.2" "boto3==1.44.5"
    cat >"$folder/runtime/bootstrap" <<'BOOTSTRAP'
#!/bin/sh
export LAMBDA_RUNTIME_DIR=/var/runtime
export LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task/lib:/opt/lib
export PYTHONPATH=/var/task:/opt/python:/var/runtime
exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
BOOTSTRAP
    chmod +x "$folder/runtime/bootstrap"
    cat >"$folder/Dockerfile" <<DOCKERFILE
FROM scratch
ADD rootfs.tar /
RUN mkdir -p /var/lang/bin /var/task /opt && ln -s /usr/bin/python3.13 /var/lang/bin/python3.13
COPY runtime /var/runtime
ENV AWS_ENDPOINT_URL_S3=$s3
WORKDIR /var/task
DOCKERFILE
    DOCKER_BUILDKIT=0 docker build --quiet --tag "$IMAGE" "$folder" >/dev/null
    rm -rf "$folder"
}

_debian() {
    mmdebstrap --variant=minbase --include=python3,ca-certificates trixie "$1" "$(_debian_mirror)" \
        2>"$1.log" || { tail -5 "$1.log"; return 1; }
}

# The mirror this machine installs its own packages from.
_debian_mirror() {
    local found
    # Every stage reads to its end: one that stopped early would fail the pipe.
    found=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
        tr -d ' ' | sed '/snapshot/d' | sed -n 1p) || true
    echo "${found:-http://deb.debian.org/debian}"
}
