"""A run as JSON, in the shape that `report.schema.json` describes."""

from pathlib import Path
from typing import Any

from relay.contract.diagnostics import SourceLocation, place_parts
from relay.contract_tests.coverage import Cell, Report
from relay.contract_tests.exchanges import Exchange
from relay.contract_tests.results import Failure, Phase

from .curl import curl
from .printable import body_text, escape_unprintable

SCHEMA = Path(__file__).with_name("report.schema.json")
VERSION = 1  # the version of the format; it is incremented on incompatible changes


def document(report: Report) -> dict[str, Any]:
    """Return a redacted report as JSON values whose text can be encoded as UTF-8."""
    data: dict[str, Any] = _escaped(
        {
            "version": VERSION,
            "verdict": "held" if report.held else "violated",
            "title": report.title,
            "spec": report.spec,
            "url": report.subject,
            "seed": report.seed,
            "started": report.started.isoformat(),
            "seconds": report.seconds,
            "cut": report.is_cut,
            "reproduce": list(report.reproduce),
            "parts": [_part(part, report.subject) for part in report.parts],
            "coverage": {
                "percent": report.coverage.percent,
                "min_percent": report.min_coverage,
                "cells": [_cell(cell) for cell in report.coverage.cells],
            },
        }
    )
    return data


def _part(part: Phase, base: str | None) -> dict[str, Any]:
    return {
        "name": part.name,
        "held": part.held,
        "cases": part.cases,
        "unit": part.unit,
        "seconds": part.seconds,
        "exchanges": len(part.exchanges),
        "notes": list(part.notes),
        "failures": [_failure(failure, base) for failure in part.failures],
        "not_run": [one._asdict() for one in part.not_run],
    }


def _failure(failure: Failure, base: str | None) -> dict[str, Any]:
    return {
        "rule": failure.rule,
        "severity": failure.severity.value,
        "place": _place(failure.where),
        "other": _place(failure.other) if failure.other else None,
        "operation": failure.operation,
        "message": failure.message,
        "count": failure.count,
        "expected": list(failure.expected),
        "exchange": _exchange(failure.exchange, base) if failure.exchange else None,
    }


def _exchange(exchange: Exchange, base: str | None) -> dict[str, Any]:
    return {
        "method": exchange.request.method,
        "url": exchange.request.url,
        "credential": exchange.credential,
        "status": exchange.status,
        "media_type": exchange.header("content-type"),
        "body": body_text(exchange),
        "seconds": exchange.seconds,
        "curl": curl(exchange, base),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "operation": str(cell.operation),
        "operation_id": cell.operation.id,
        "status": cell.status,
        "media_type": cell.media_type,
        "state": cell.state.value,
        "seen": dict(cell.seen),
        "waiver": cell.waiver.reason if cell.waiver else None,
        "place": _place(cell.place),
    }


def _place(place: SourceLocation | str) -> dict[str, Any]:
    return dict(zip(("file", "line", "column"), place_parts(place), strict=True))


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return escape_unprintable(value)
        case dict():
            return {escape_unprintable(key): _escaped(one) for key, one in value.items()}
        case list():
            return [_escaped(one) for one in value]
    return value
