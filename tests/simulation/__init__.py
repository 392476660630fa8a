"""A deterministic simulation of many processes at one bucket.

Every storage request is a step at which a seeded scheduler may let any other process run, lose
the request, lose its answer, let it arrive late, or end the process. The code that runs is the
product's own; only the store, the clock and the source of names are simulated.
"""
