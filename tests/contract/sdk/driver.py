"""Runs inside an SDK's own folder: reads calls as JSON lines, makes them with the SDK, answers.

A call is ``{"method", "request", "fields", "files"}``: the client's method, the request's class,
its fields, and fields whose value is a file's bytes in Base64. ``{"config"}`` makes a new client.
"""
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204

import asyncio
import base64
import importlib
import io
import json
import sys

SETUP = json.loads(sys.argv[1])


def redirect(host, port):
    """Do what an entry in /etc/hosts and a port 80 would do: lead ``host`` to this machine."""
    from urllib3.util import connection

    create = connection.create_connection

    def connect(address, *args, **more):
        return create(("127.0.0.1", port) if address[0] == host else address, *args, **more)

    connection.create_connection = connect


class Tea:
    """The SDKs on the Tea and Darabonba cores."""

    def __init__(self):
        package = SETUP["package"]
        self.models = importlib.import_module(package + ".models")
        self.configure(SETUP["config"])

    def configure(self, config):
        client = importlib.import_module(SETUP["package"] + ".client")
        core = importlib.import_module(SETUP["core"] + ".models")
        self.client = client.Client(core.Config(**config))
        for name, value in SETUP.get("attributes", {}).items():
            setattr(self.client, name, value)

    def call(self, call):
        kind = getattr(self.models, call["request"])
        request = kind(**call["fields"])
        for name, content in call.get("files", {}).items():
            setattr(request, name, io.BytesIO(base64.b64decode(content)))
        if "query" in call:  # 2018 puts its one parameter into an object of its own
            kind = getattr(self.models, call["request"].replace("Request", "Query"))
            request.query = kind(**call["query"])
        answer = self._send(call["method"], request)
        body = answer.to_map()
        return body.get("body", body)

    def _send(self, method, request):
        style = SETUP.get("style", "plain")
        if style == "runtime":
            return getattr(self.client, method)(request, self._runtime())
        if method.endswith("_advance"):
            return getattr(self.client, method)(request, self._runtime())
        if method.endswith("_async"):
            return asyncio.run(getattr(self.client, method)(request))
        return getattr(self.client, method)(request)

    def _runtime(self):
        for module in SETUP["runtime"]:
            try:
                options = importlib.import_module(module).RuntimeOptions
            except (ImportError, AttributeError):
                continue
            runtime = options()
            if SETUP.get("ca"):
                runtime.ca = SETUP["ca"]
            return runtime
        raise ImportError("RuntimeOptions")


class Legacy:
    """aliyun-python-sdk."""

    def __init__(self):
        from aliyunsdkcore.client import AcsClient

        config = SETUP["config"]
        self.client = AcsClient(config["access_key_id"], config["access_key_secret"], "cn-shanghai")

    def call(self, call):
        module = importlib.import_module(SETUP["package"] + "." + call["request"])
        request = getattr(module, call["request"])()
        request.set_endpoint(SETUP["config"]["endpoint"])
        request.set_accept_format("JSON")
        for name, value in call["fields"].items():
            getattr(request, "set_" + name)(value)
        return json.loads(self.client.do_action_with_exception(request))


def described(error):
    code = getattr(error, "code", None) or getattr(error, "error_code", None)
    status = getattr(error, "status_code", None) or getattr(error, "http_status", None)
    data = getattr(error, "data", None)
    if status is None and isinstance(data, dict):
        status = data.get("statusCode") or data.get("httpCode")
    return {
        "type": type(error).__name__,
        "code": code,
        "status": status,
        "message": str(getattr(error, "message", error)),
        "retry_after": getattr(error, "retry_after", None),
        "denied": getattr(error, "access_denied_detail", None),
    }


def main():
    if "redirect" in SETUP:
        redirect(*SETUP["redirect"])
    sdk = Legacy() if SETUP.get("core") is None else Tea()
    out = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            call = json.loads(line)
            answer = {"body": sdk.configure(call["config"]) if "config" in call else sdk.call(call)}
        except Exception as error:
            answer = {"error": described(error)}
        out.write(json.dumps(answer, default=str) + "\n")
        out.flush()


main()
