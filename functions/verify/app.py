"""Try new versions on a real picture before CodeDeploy gives them traffic."""

import json
import logging
import os
from typing import Any

import boto3
from round_trip import Failed, go

lambdas = boto3.client("lambda")
codedeploy = boto3.client("codedeploy")
log = logging.getLogger("verify")


def handler(event: dict[str, str], _context: object) -> dict[str, str]:
    """Make a round trip through the new versions and tell CodeDeploy how it went."""
    status = "Succeeded"
    try:
        go(_invoke)
    except Exception:
        log.exception("the new versions do not work together")
        status = "Failed"
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status}


def _invoke(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke the version that the template names in ``NEW_<FUNCTION>``."""
    version = os.environ[f"NEW_{function.upper()}"]
    answer = lambdas.invoke(FunctionName=version, Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Failed(f"{function}: {json.dumps(payload)[:1000]}")
    return payload
