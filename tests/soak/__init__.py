"""The soak: everything at once against the running service, checked against what it acknowledged.

``python -m tests.soak --minutes 20``, or ``make soak``.
"""
