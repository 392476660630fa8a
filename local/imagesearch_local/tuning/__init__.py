"""Fit a bundle's map to the owner's own pictures, and tell what that is worth."""

from imagesearch_local.tuning.owned import Owned
from imagesearch_local.tuning.tune import LEAST, Tuned, tune

__all__ = ["LEAST", "Owned", "Tuned", "tune"]
