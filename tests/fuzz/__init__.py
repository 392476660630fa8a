"""Fuzzing of everything that reads bytes from outside.

``python -m tests.fuzz --seconds 60 [harness …]``, or ``make fuzz``: coverage-guided by atheris
where it can be installed, by mutation of the seeds where it cannot.
"""
