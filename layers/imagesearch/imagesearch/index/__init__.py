"""The index: a log that anybody may append to, immutable segments, and one manifest, on S3."""

from imagesearch.index.clock import Clock, SystemClock
from imagesearch.index.features import Features, Likeness, direction, encode, likeness
from imagesearch.index.index import Index
from imagesearch.index.log import (
    Change,
    Deletion,
    Entry,
    OfPicture,
    OfProduct,
    Version,
    operation_number,
)
from imagesearch.index.meanings import Lacking, Meant, MeantAnswer, TextQuery, encode_meaning
from imagesearch.index.place import Place
from imagesearch.index.policy import Policy
from imagesearch.index.rollback import Generation
from imagesearch.index.scrub import Problem, Scrubbed
from imagesearch.index.search import Answer, Hit, Query
from imagesearch.index.snapshot import Snapshot
from imagesearch.index.upkeep import Maintained

__all__ = [
    "Answer",
    "Change",
    "Clock",
    "Deletion",
    "Entry",
    "Features",
    "Generation",
    "Hit",
    "Index",
    "Lacking",
    "Likeness",
    "Maintained",
    "Meant",
    "MeantAnswer",
    "OfPicture",
    "OfProduct",
    "Place",
    "Policy",
    "Problem",
    "Query",
    "Scrubbed",
    "Snapshot",
    "SystemClock",
    "TextQuery",
    "Version",
    "direction",
    "encode",
    "encode_meaning",
    "likeness",
    "operation_number",
]
