"""Print template.yaml as CloudFormation sees it after the SAM transform, as JSON.

Run by ``.venv-sam/bin/python``, which has AWS's own translator; needs no account and no network.
Arguments are parameters, ``Name=value`` each, after ``--template=FILE`` for another template.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

MANAGED = {
    name: f"arn:aws:iam::aws:policy/service-role/{name}"
    for name in ("AWSLambdaBasicExecutionRole", "AWSCodeDeployRoleForLambdaLimited")
}


def translate(template: Path, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the transformed template; a folder stands for the archive it would become."""
    document = yaml_parse(template.read_text("utf-8"))
    for resource in document["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in resource.get("Properties", {}):
                folder = resource["Properties"][place]
                if not folder.startswith("s3://"):
                    resource["Properties"][place] = f"s3://archives/{folder}"
    session = boto3.Session(region_name="eu-west-1")
    translated: dict[str, Any] = Translator(MANAGED, Parser(), None, session).translate(
        document, parameters
    )
    return translated


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    template = Path(given.pop("--template", "template.yaml"))
    json.dump(translate(template, given), sys.stdout)
