"""Boxes."""

from boxes._native import volume

__all__ = ["volume"]
