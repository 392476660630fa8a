"""Processes that run one at a time, in an order that a seed decides."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable
from itertools import count

SECOND = 1_000_000


class Crash(BaseException):
    """The process is gone; nothing in it may catch this."""


class Process(threading.Thread):
    """One process: a thread that runs only while it holds the baton."""

    def __init__(self, world: World, name: str, body: Callable[[Process], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.world = world
        self.baton = threading.Lock()
        self.baton.acquire()
        self.crash_chance = 0.0
        self.deadline: int | None = None
        self.ended = False
        self._body = body

    def run(self) -> None:
        self.baton.acquire()
        try:
            self._body(self)
        except Crash:
            pass
        except BaseException as error:
            self.world.failures.append(error)
        finally:
            self.ended = True
            self.world.leave()

    def pause(self, microseconds: int) -> None:
        """Let time pass and others run; raise :class:`Crash` if this process dies meanwhile."""
        wake = self.world.now + max(0, microseconds)
        if self.deadline is not None and wake > self.deadline:
            self.world.sleep(self, self.deadline)
            raise Crash
        self.world.sleep(self, wake)
        if self.world.random.random() < self.crash_chance:
            raise Crash


class World:
    """Simulated time (microseconds) and the processes in it.

    Whoever sleeps shortest runs next, so the latencies that the seed draws decide the order.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 1_700_000_000 * SECOND
        self.failures: list[BaseException] = []
        self._order = count()
        self._waiting: list[tuple[int, float, int, Process | Callable[[], None]]] = []
        self._done = threading.Event()
        self._ticks = count(1)

    def tick(self) -> int:
        """Return a number greater than every earlier one: the order in which things happened."""
        return next(self._ticks)

    def start(self, name: str, body: Callable[[Process], None], *, after: int = 0) -> Process:
        """Add a process that begins in ``after`` microseconds."""
        process = Process(self, name, body)
        self._push(self.now + after, process)
        process.start()
        return process

    def later(self, microseconds: int, happening: Callable[[], None]) -> None:
        """Let something happen by itself, such as the arrival of a delayed request."""
        self._push(self.now + microseconds, happening)

    def run(self) -> None:
        """Run until every process has ended, and raise what one of them failed with."""
        self._done.clear()
        self.leave()
        self._done.wait()
        if self.failures:
            raise self.failures[0]

    def sleep(self, process: Process, wake: int) -> None:
        """Pass the baton on and wait for it until ``wake``."""
        self._push(wake, process)
        following = self._next()
        if following is not process and following is not None:
            following.baton.release()
            process.baton.acquire()

    def leave(self) -> None:
        """Pass the baton on without coming back."""
        following = self._next()
        if following is None:
            self._done.set()
        else:
            following.baton.release()

    def _push(self, wake: int, what: Process | Callable[[], None]) -> None:
        heapq.heappush(self._waiting, (wake, self.random.random(), next(self._order), what))

    def _next(self) -> Process | None:
        while self._waiting:
            wake, _, _, what = heapq.heappop(self._waiting)
            self.now = max(self.now, wake)
            if isinstance(what, Process):
                return what
            what()
        return None
