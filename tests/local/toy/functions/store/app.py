"""Keeps objects in the bucket; ``soon`` does it through an asynchronous invocation."""

import base64
import json
import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    if "put" in event:
        s3().put_object(Bucket=os.environ["BUCKET"], Key=event["put"], Body=event["text"].encode())
        return None
    key = event["pathParameters"]["key"]
    if event["routeKey"].startswith("GET"):
        body = s3().get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read()
        return {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(body).decode()}
    text = event["body"]
    if event["routeKey"].startswith("POST"):
        boto3.client("lambda").invoke(
            FunctionName=context.function_name,
            InvocationType="Event",
            Payload=json.dumps({"put": key, "text": text}),
        )
        return {"statusCode": 202}
    s3().put_object(Bucket=os.environ["BUCKET"], Key=key, Body=text.encode())
    return {"statusCode": 201}


def s3() -> Any:
    return boto3.client("s3")
