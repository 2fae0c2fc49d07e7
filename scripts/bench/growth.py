"""Measures how Relay's cost per request grows with numbers, users, operations and tokens."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import jwt

from . import many
from .data import SECRET, USER
from .goals import LITERAL, TEMPLATED
from .measuring import BenchSetup
from .results import Growth, Results, Sample
from .rounds import Bench, Contestant, load_rounds, running
from .servers import Program

NUMBERS = (1, 10, 100, 1000, 10_000)
USERS = (10, 100, 1000, 10_000)
OPERATIONS = (1, 10, 100, 600)
TOKENS = (1, 10, 100, 1000, 10_000, 100_000)


def measure_growth(bench: Bench, place: BenchSetup, results: Results) -> None:
    """Measure Relay at each size of each dimension; raises LoadFailed."""
    contracts = {count: many.write_contract(bench.folder, count) for count in {*OPERATIONS, 5}}
    templated = (5, *OPERATIONS[1:])
    programs: dict[str, dict[int, Program]] = {
        "numbers": {count: place.program("relay", "memory", count) for count in NUMBERS},
        "users of the organization, SQLite": {
            count: place.program("relay", "sqlite", 10, users=count) for count in USERS
        },
        LITERAL: {count: many.relay(contracts[count], many.literal(count)) for count in OPERATIONS},
        TEMPLATED: {count: many.relay(contracts[count], many.templated(count)) for count in templated},
    }
    for of, sized in programs.items():
        connections = bench.connections_for(max(sized)) if of == "numbers" else bench.connections
        with running({str(size): program for size, program in sized.items()}, bench.folder) as servers:
            contestants = {size: Contestant(one, connections, bench.tokens) for size, one in servers.items()}
            samples = load_rounds(bench, contestants, of)
        results.growth.append(_growth(of, list(sized), samples))
    _measure_tokens(bench, place, results)


def _measure_tokens(bench: Bench, place: BenchSetup, results: Results) -> None:
    """Measure repeated tokens, then tokens used once, also with a Relay without token cache."""
    tokens = _tokens(max(TOKENS))
    program = place.program("relay", "memory", 1)
    of = "tokens in turn"
    with running({str(size): program for size in TOKENS}, bench.folder) as servers:
        contestants = {
            size: Contestant(one, bench.connections, tokens[: int(size)]) for size, one in servers.items()
        }
        results.growth.append(_growth(of, TOKENS, load_rounds(bench, contestants, of)))
    both = {name: place.program(name, "memory", 1) for name in ("relay", "relay-uncached")}
    with running(both, bench.folder) as servers:
        fresh = {name: Contestant(one, bench.connections, tokens) for name, one in servers.items()}
        samples = load_rounds(bench, fresh, "tokens used once")
    results.fresh = {name: [sample.cpu for sample in found] for name, found in samples.items()}


def _growth(of: str, sizes: Sequence[int], samples: Mapping[str, Sequence[Sample]]) -> Growth:
    return Growth(
        of,
        tuple(sizes),
        tuple(tuple(sample.cpu for sample in samples[str(size)]) for size in sizes),
        tuple(tuple(sample.p50 for sample in samples[str(size)]) for size in sizes),
    )


def _tokens(count: int) -> list[str]:
    """Return `count` different tokens that are valid for a day."""
    claims = {"userId": USER, "sub": USER, "exp": int(time.time()) + 86400}
    return [jwt.encode({**claims, "jti": str(number)}, SECRET, "HS256") for number in range(count)]
