"""Serverless Image Search: visual search that lives in functions and object storage."""

__version__ = "0.1.0"
