"""Run a command that the kernel ends as soon as whoever started it is gone.

``python -I -S tether.py COMMAND …`` asks for SIGKILL at the parent's death (Linux ``prctl(2)``,
PR_SET_PDEATHSIG), then becomes the command: the process id stays the same, and not even a
``kill -9`` of the parent leaves an orphan. Standard library only, for a quick start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died while we were asking
        sys.exit(1)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
