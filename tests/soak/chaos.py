"""Trouble for a running service: killed functions, store and runner, a store that misbehaves."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.proxy import Fault, StoreProxy, Weather
from tests.running import Service, command_line, descendants
from tests.soak.figures import Figures

__all__ = ["Chaos"]

_BAD = 0.25
_USUAL = 0.02


@dataclass(slots=True)
class Chaos:
    """Makes trouble of every kind in turn, ``pause`` seconds apart on average."""

    service: Service
    proxy: StoreProxy
    figures: Figures
    chance: random.Random
    pause: float
    options: tuple[str, ...]
    largest: float = 0.0

    def run(self, stop: threading.Event) -> None:
        """Make trouble until told to stop; the service runs when this returns."""
        self.usual()
        while not stop.is_set():
            for kind in self._round():
                if stop.wait(self.chance.uniform(0.5, 1.5) * self.pause):
                    break
                self._measure()
                kind()
        self.proxy.faults = lambda _: None

    def usual(self) -> None:
        """Let a small share of requests to the store fail."""
        self.proxy.faults = Weather(_USUAL, chance=self.chance)

    def kill_function(self) -> None:
        """Kill one process of a function."""
        if pids := self.service.function_processes():
            os.kill(self.chance.choice(pids), signal.SIGKILL)
            self.figures.suffered("function killed")

    def kill_functions(self) -> None:
        """Kill all processes of all functions."""
        pids = self.service.function_processes()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.figures.suffered("function killed", len(pids))

    def storm(self) -> None:
        """Let every fourth request to the store fail for some seconds."""
        self.proxy.faults = Weather(_BAD, chance=self.chance)
        time.sleep(self.chance.uniform(2, 6))
        self.usual()
        self.figures.suffered("store in a storm")

    def outage(self) -> None:
        """Let the store refuse everything for some seconds."""
        kind = self.chance.choice([Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.RESET, Fault.HANG])
        self.proxy.faults = Weather(1.0, (kind,), self.chance)
        time.sleep(self.chance.uniform(2, 6))
        self.usual()
        self.figures.suffered("store out of order")

    def kill_store(self) -> None:
        """Kill the object store; the runner ends with it and is started again."""
        assert self.service.process
        for pid in descendants(self.service.process.pid):
            if "weed" in command_line(pid).split(" ")[0]:
                os.kill(pid, signal.SIGKILL)
        self.service.process.wait(timeout=60)
        self._start_again("store killed")

    def kill_runner(self) -> None:
        """Kill the runner, and with it everything it runs."""
        self.service.stop(signal.SIGKILL)
        self._start_again("runner killed")

    def restart(self) -> None:
        """Stop the runner in an orderly way and start it again."""
        self.service.stop()
        self._start_again("runner stopped")

    def _start_again(self, kind: str) -> None:
        self.figures.suffered(kind)
        self.service.start(*self.options)

    def _round(self) -> list[Callable[[], None]]:
        """Return one of everything, functions killed more often, in any order."""
        kinds = [*[self.kill_function] * 5, self.kill_functions, *[self.storm] * 2, self.outage]
        kinds += [self.kill_store, self.kill_runner, self.restart]
        self.chance.shuffle(kinds)
        return kinds

    def _measure(self) -> None:
        peaks = [_resident(pid) for pid in self.service.function_processes()]
        self.largest = max([self.largest, *peaks])


def _resident(pid: int) -> float:
    """Return how much memory (MB) a process holds."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0
