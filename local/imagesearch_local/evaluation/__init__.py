"""Measure search quality on a labelled set: read it, run it, score it, show what went wrong."""

from imagesearch_local.evaluation.evaluate import Settings, compare, evaluate

__all__ = ["Settings", "compare", "evaluate"]
