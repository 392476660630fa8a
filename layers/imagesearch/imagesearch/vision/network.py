"""Run one ONNX file, and ask for some of its outputs alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import ModelError
from imagesearch.vision.manifest import Pixels

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["Network"]


class Network:
    """An ONNX file, opened when it is first needed. Thread-safe."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Keep where the file is; ``threads`` is how many one run may use."""
        self._path = path
        self._threads = threads
        self._session: onnxruntime.InferenceSession | None = None
        self._lock = threading.Lock()

    @property
    def session(self) -> onnxruntime.InferenceSession:
        """Return the session, opening it once; :class:`ModelError` if it cannot be."""
        if self._session is None:
            with self._lock:
                if self._session is None:
                    self._session = self._open()
        return self._session

    def _open(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A spinning thread is paid for and shares a core with the request.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                str(self._path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelError(f"{self._path} cannot be loaded: {str(error)[:300]}") from error

    def check(self, pixels: Pixels, outputs: dict[str, int | None]) -> None:
        """Compare the file's input and outputs with what its bundle says.

        ``outputs`` maps the name of an output to its width, or to ``None`` for any.
        """
        wanted = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}[pixels.type]
        inputs = {found.name: found for found in self.session.get_inputs()}
        if list(inputs) != [pixels.input] or inputs[pixels.input].type != wanted:
            seen = ", ".join(f"{found.name}: {found.type}" for found in inputs.values())
            raise ModelError(
                f"{self._path} must have the one input {pixels.input}: {wanted}; it has {seen}."
            )
        found = {output.name: output for output in self.session.get_outputs()}
        for name, width in outputs.items():
            if name not in found or found[name].type != "tensor(float)":
                raise ModelError(
                    f"{self._path} has no float output {name!r}; it has {', '.join(found)}."
                )
            last = found[name].shape[-1]
            if width is not None and isinstance(last, int) and last != width:
                raise ModelError(f"{self._path}: {name} is {last} wide; bundle.json says {width}.")

    def run(
        self, pixels: Pixels, squares: NDArray[np.uint8], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Return ``outputs`` for pictures ``[n, side, side, 3]``.

        What else of the graph is computed is onnxruntime's choice: 1.32 leaves hardly anything out.
        """
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True
        feed = {pixels.input: pixels.tensor(squares)}
        try:
            return list(self.session.run(list(outputs), feed, options))
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"{self._path} failed: {str(error)[:300]}") from error
