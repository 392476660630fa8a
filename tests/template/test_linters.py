"""No finding of AWS's, the serverless rules' or Checkov's linters is left without a reason."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.template.conftest import ROOT, SAM

CHECKOV = ROOT / ".venv-checkov/bin/checkov"


def _run(program: Path, *arguments: str) -> None:
    if not program.exists():
        pytest.skip(f"needs {program.relative_to(ROOT)}: run tools/sam/setup.sh")
    calm = {
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    done = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env=os.environ | calm,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_sam_lints_the_template() -> None:
    _run(SAM / "sam", "validate", "--lint")


def test_the_serverless_rules_hold() -> None:
    _run(SAM / "cfn-lint", "-t", "template.yaml", "-a", "cfn_lint_serverless.rules")


def test_checkov_finds_nothing() -> None:
    _run(CHECKOV, "-f", "template.yaml", "--config-file", ".checkov.yaml")
