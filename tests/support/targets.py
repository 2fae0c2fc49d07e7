"""Services to fire at, in processes of their own, and what such a process takes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from handlers._commands.demo import demo_secrets
from relay.contract.loading import load_contract
from relay.contract.model import Contract
from tests.specs.garage import STOREROOM_KEY

from .hosting import SECRET, bearer
from .running import ROOT, SPEC, Service, serving, serving_demo
from .wire import exchange, request

GARAGE = ROOT / "tests" / "specs" / "garage" / "openapi.yaml"


class Target(NamedTuple):
    """A service under fire: what its log says, who may come in, and what they ask rightly."""

    service: Service
    log: Path
    contract: Contract
    token: str
    good: list[bytes]
    right: bytes
    secrets: list[str]


class Measured(NamedTuple):
    """The resources of a process: descriptors, and MiB of memory now and at most."""

    descriptors: int
    memory: float
    peak: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """Measure a process of this machine."""
        status = dict(
            re.findall(r"(VmRSS|VmHWM):\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
        )
        descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return cls(descriptors, int(status["VmRSS"]) / 1024, int(status["VmHWM"]) / 1024)


@contextmanager
def ours(folder: Path, level: str = "debug") -> Iterator[Target]:
    """The service itself, with its demo's data in SQLite."""
    with serving_demo(folder, RELAY_LOG_LEVEL=level) as service:
        token = service.token
        signed = ("Authorization", f"Bearer {token}")
        right = request("GET", "/api/calls/voice-ai/config", None, signed)
        good = [right, request("GET", "/livez"), request("GET", "/readyz"), request("GET", "/openapi.json")]
        yield Target(service, folder / "stderr.log", load_contract(SPEC), token, good, right, demo_secrets())


@contextmanager
def garage(folder: Path, spec: Path = GARAGE) -> Iterator[Target]:
    """A garage with a vehicle in its books, on which there is work; `spec` is its contract, or one that says the same."""
    variables = {"RELAY_JWT_SECRET": SECRET, "RELAY_LOG_LEVEL": "debug"}
    with serving(folder, "--spec", str(spec), "--handlers", "tests.specs.garage", **variables) as service:
        token = bearer({"sub": "astrid"})["Authorization"].removeprefix("Bearer ")
        signed = ("Authorization", f"Bearer {token}")
        key = ("X-Storeroom-Key", STOREROOM_KEY)
        typed, form, parts = (
            ("Content-Type", kind)
            for kind in (
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=b",
            )
        )
        vehicle = {
            "plate": "S-1971",
            "make": "Saab",
            "built": 1971,
            "engine": {"fuel": "petrol", "cylinders": 4},
        }
        body = json.dumps({**vehicle, "unlockCode": "0420"}).encode()
        (made,) = exchange(service.url, request("POST", "/garage/v1/vehicles", body, signed, typed))
        assert made.status == 201, made.body
        one = made.headers["location"]
        photo = (
            b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n\xff\r\n--b\r\n'
            b'Content-Disposition: form-data; name="position"\r\n\r\n1\r\n--b--\r\n'
        )
        right = request("GET", one, None, signed)
        orders, chosen = f"{one}/work-orders", "limit=5&make=Saab&built[from]=1970&colours=red|blue"
        good = [
            right,
            request("GET", f"/garage/v1/vehicles?{chosen}", None, signed),
            request("POST", "/garage/v1/vehicles", body.replace(b"S-1971", b"S-1972"), signed, typed),
            request("PUT", f"{one[:-12]}000000000000", body, signed, typed),
            request("GET", f"{orders}?hours=1%208&since=2020-01-01", None, signed),
            request("POST", orders, b"title=a&hours=1.5&parts=1", signed, form),
            request("GET", f"{orders}/1", None, signed),
            request("PUT", f"{orders}/1/note", b"a note", signed, ("Content-Type", "text/plain")),
            request("GET", f"{orders}/1/note", None, signed),
            request("POST", f"{orders}/1/photos", photo, signed, parts),
            request("GET", f"{orders}/1/photos/1", None, signed),
            request("GET", "/garage/v1/parts/1?depth=2", None, signed),
            request("PATCH", "/garage/v1/parts/2/stock", b'{"change":1}', key, typed),
            request("POST", "/garage/v1/parts/2/stock", b'{"change":1}', key, typed),
        ]
        log, secrets = folder / "stderr.log", [STOREROOM_KEY, SECRET]
        yield Target(service, log, load_contract(spec), token, good, right, secrets)
