"""Fan-out: segments are ranked by functions that share them, and the answers are merged.

The shard is a segment, which never changes: it is dealt to a worker by its id, so nothing is
rewritten when the number of workers changes, writes stay one atomic log, and each worker keeps
what it has read.
"""

from imagesearch.index.fanout.coordinator import FanOut
from imagesearch.index.fanout.wire import LONGEST, Ask
from imagesearch.index.fanout.worker import Worker

__all__ = ["LONGEST", "Ask", "FanOut", "Worker"]
