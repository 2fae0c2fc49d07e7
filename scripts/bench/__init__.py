"""Benchmarks Relay against other servers: the same work, one machine, interleaved rounds."""

from .command import bench

__all__ = ["bench"]
