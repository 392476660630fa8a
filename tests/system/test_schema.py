"""The running service does what its OpenAPI document says, whatever is sent.

schemathesis makes requests from the document, right ones and wrong ones, and holds the answers
against it: no 5xx, no status, content type, header or body that the document does not know. That
requests which fit the document are taken and all others refused is not asked of it: filters,
cursors and names have rules that JSON Schema does not say, and numbers and truth values may come
as text, since they also come by query.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.running import Service

pytestmark = pytest.mark.system

PROGRAM = Path(__file__).parents[2] / ".venv-schema/bin/schemathesis"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.mark.skipif(not PROGRAM.exists(), reason="needs .venv-schema: run tools/schema/setup.sh")
def test_no_request_is_answered_otherwise_than_documented(
    service: Service, client: httpx.Client, instance: str, tmp_path: Path
) -> None:
    document = client.get("/openapi.json").text.replace("events", instance)
    (tmp_path / "openapi.json").write_text(document, "utf-8")
    done = subprocess.run(
        [
            PROGRAM, "run", "openapi.json", "--url", service.url,
            "--checks", ",".join(CHECKS),
            "--phases", "examples,coverage,fuzzing",
            "--max-examples", "6", "--generation-deterministic", "--suppress-health-check", "all",
            "--request-timeout", "20", "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: " in done.stdout
