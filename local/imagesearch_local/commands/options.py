"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from imagesearch_client import DEFAULT_URL, AwsSignature, Client

__all__ = ["ApiKey", "AsJson", "Data", "Instance", "TemplateFile", "Url", "connect"]

Url = Annotated[str, typer.Option("--url", envvar="IMAGESEARCH_URL", help="Server to talk to.")]
ApiKey = Annotated[
    str,
    typer.Option(
        "--api-key",
        envvar="IMAGESEARCH_API_KEY",
        help="Sent as x-api-key, for a deployment that asks for keys.",
        show_default=False,
        show_envvar=True,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Instance = Annotated[str, typer.Argument(help="Name of the instance.", show_default=False)]
Data = Annotated[Path, typer.Option("--data", help="Data folder of the local run.")]
TemplateFile = Annotated[
    Path | None, typer.Option("--template", help="Default: the project's template.yaml.")
]


def connect(url: str = DEFAULT_URL, api_key: str = "") -> Client:
    """Open a client; requests to an API on AWS are signed when there is no key."""
    if not api_key and url.rstrip("/").endswith(".amazonaws.com"):
        return Client(url, auth=AwsSignature.of_address(url))
    return Client(url, api_key=api_key)
