"""Relay beside what else could be picked: the same work, one machine, interleaved rounds."""

from .command import bench

__all__ = ["bench"]
