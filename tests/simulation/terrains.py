"""Circumstances in which much goes wrong, each of another kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.simulation.network import Weather
from tests.simulation.scenario import Scenario
from tests.simulation.world import SECOND


def busy(seed: int) -> Scenario:
    """Swift folders without rest, and others that stall for longer than they may write."""
    scenario = Scenario.of(seed)
    return replace(
        scenario,
        policy=replace(scenario.policy, write_deadline=4, settle_after=5, remember=5),
        weather=replace(scenario.weather, stall=0.12, stalled=(4 + 9 * (seed % 2)) * SECOND),
        upkeep_weather=Weather(slowest=SECOND // 50),
        folders=2,
        upkeep=30,
        writers=3,
        operations=5,
        idle=2 * SECOND,
    )


def hasty(seed: int) -> Scenario:
    """As busy; what the log has settled is deleted at once, which must be safe as well."""
    return replace(busy(seed), log_grace=False)


def stalling(seed: int) -> Scenario:
    """As hasty; everybody stalls often, and many folders go on meanwhile."""
    scenario = hasty(seed)
    weather = replace(scenario.weather, stall=0.25, stalled=12 * SECOND)
    return replace(scenario, weather=weather, folders=3, upkeep=40)


def belated(seed: int) -> Scenario:
    """Many requests arrive after their senders have given up, and after swift folders."""
    scenario = Scenario.of(seed)
    return replace(
        scenario,
        weather=replace(scenario.weather, late=0.2, retries=1),
        upkeep_weather=Weather(slowest=SECOND // 50),
        writers=4,
        readers=1,
        folders=2,
        upkeep=20,
        idle=SECOND,
    )


def overdue(seed: int) -> Scenario:
    """As busy; everybody stalls often, for longer than they may write."""
    scenario = busy(seed)
    return replace(scenario, weather=replace(scenario.weather, stall=0.2, stalled=13 * SECOND))


def turning(seed: int) -> Scenario:
    """Somebody rolls back now and then."""
    scenario = Scenario.of(seed)
    policy = replace(scenario.policy, sweep_every=70, retention=300, keep_all=200)
    return replace(
        scenario,
        policy=policy,
        upkeep_weather=Weather(stall=0.1, stalled=5 * SECOND),
        turners=1 + seed % 2,
        folders=2,
        upkeep=30,
        operations=6,
        idle=3 * SECOND,
    )


def fleeting(seed: int) -> Scenario:
    """Instances come and go under one name."""
    scenario = Scenario.of(seed)
    return replace(scenario, erasers=1 + seed % 2, crash=scenario.crash / 4)


def elsewhere(seed: int) -> Scenario:
    """An engine elsewhere holds segments, serves, fails, is left and attached again."""
    scenario = Scenario.of(seed)
    policy = replace(scenario.policy, sweep_every=60, retention=300, keep_all=200)
    return replace(
        scenario,
        policy=policy,
        stewards=1,
        turners=seed % 2,
        folders=2,
        upkeep=20,
        operations=6,
        crash=scenario.crash / 4,
        idle=20 * SECOND,
    )


def restless(seed: int) -> Scenario:
    """As elsewhere; two roll back, and little else happens but that engines come and go."""
    return replace(
        elsewhere(seed),
        weather=Weather(slowest=SECOND // 50),
        crash=0,
        writers=1,
        readers=1,
        folders=1,
        turners=2,
        operations=12,
    )


TERRAINS: Mapping[str, Callable[[int], Scenario]] = {
    "mixed": Scenario.of,
    "busy": busy,
    "hasty": hasty,
    "stalling": stalling,
    "belated": belated,
    "turning": turning,
    "fleeting": fleeting,
    "elsewhere": elsewhere,
}
