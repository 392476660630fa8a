"""An emulated AWS account (MiniStack) that `sam deploy` can deploy into, functions and all.

What it does not know is left out of the template first, and named: see :data:`UNKNOWN`. It puts a
function's layers on Python's path but not at ``/opt``, so the models are read from the build.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

__all__ = ["SAM", "UNKNOWN", "Account"]

Tree = dict[str, Any]

UNKNOWN = ("AWS::CodeDeploy::", "AWS::Logs::QueryDefinition")
"""Types of resources that the emulator refuses a whole template for."""
SAM = Path(".venv-sam/bin")
_EMULATOR = Path(".venv-account/bin/ministack")
_ACCOUNT = "000000000000"
_REGION = "us-east-1"


class Account:
    """A running emulator; one that could not be installed raises :class:`FileNotFoundError`."""

    def __init__(self, folder: Path) -> None:
        """Keep its state, its log and what is deployed in ``folder``."""
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ENDPOINT_URL": self.url,
            "SAM_CLI_TELEMETRY": "0",
            "HOME": str(folder),
        }

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        own = {"BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1"}
        own |= {"GATEWAY_PORT": str(self.port), "TMPDIR": str(self.folder)}
        with (self.folder / "account.log").open("wb") as log:
            self._process = subprocess.Popen(
                [_EMULATOR.absolute()],
                env=os.environ | self.variables | own,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(240):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.25)
        self.__exit__()
        raise TimeoutError(f"the emulator does not answer: {self.log()[-1000:]}")

    def __exit__(self, *_: object) -> None:
        """Stop it and the functions it runs."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def log(self) -> str:
        """Return what it and the functions printed."""
        return (self.folder / "account.log").read_text("utf-8", "replace")

    def deploy(self, build: Path, stack: str, **parameters: str) -> str:
        """Package a build and deploy it by ``sam deploy``; returns what that printed."""
        packaged = self.folder / "packaged.yaml"
        self._sam("package", "--template-file", build / "template.yaml", "--resolve-s3",
                  "--output-template-file", packaged)  # fmt: skip
        plain = self.folder / "plain.json"
        models = (build / "ModelsLayer/models").absolute()
        plain.write_text(json.dumps(_without_unknown(self._transformed(packaged), models)), "utf-8")
        given = [f"{name}={value}" for name, value in parameters.items()]
        return self._sam("deploy", "--template-file", plain, "--stack-name", stack, "--resolve-s3",
                         "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM",
                         "--no-confirm-changeset", "--no-progressbar",
                         *(["--parameter-overrides", *given] if given else []))  # fmt: skip

    def delete(self, stack: str) -> str:
        """Delete a stack by ``sam delete``."""
        return self._sam("delete", "--stack-name", stack, "--no-prompts", "--region", _REGION)

    def bucket(self, stack: str) -> str:
        """Return the name of a stack's bucket."""
        return f"{stack}-{_ACCOUNT}-{_REGION}"

    def _transformed(self, packaged: Path) -> Tree:
        done = self._run([SAM / "python", "-m", "tools.sam.translate", f"--template={packaged}"])
        document: Tree = json.loads(done)
        return document

    def _sam(self, *arguments: str | Path) -> str:
        return self._run([SAM / "sam", *arguments])

    def _run(self, command: list[str | Path]) -> str:
        done = subprocess.run(
            command, env=os.environ | self.variables, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[1]}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout


def _without_unknown(document: Tree, models: Path) -> Tree:
    """Leave out what the emulator does not know, and lead to the models of the build."""
    resources = document["Resources"]
    for name in [name for name in resources if resources[name]["Type"].startswith(UNKNOWN)]:
        del resources[name]
    for resource in resources.values():
        resource.pop("UpdatePolicy", None)  # of CodeDeploy
    text = json.dumps(document).replace("${ServerlessDeploymentApplication}", "left-out")
    plain: Tree = json.loads(text.replace('"/opt/models"', json.dumps(str(models))))
    return plain
