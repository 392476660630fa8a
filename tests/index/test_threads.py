"""One index is used by many threads at once, as a server with several requests does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imagesearch.index import Index, Policy, Query

from tests.index.makers import entry, key, look
from tests.stores import MemoryStore

THREADS = 6
EACH = 12


def test_threads_that_write_search_and_tidy_share_an_index(tmp_path: Path) -> None:
    store = MemoryStore()
    index = Index(store, "i/", model="m", cache=tmp_path, policy=Policy(tier=2, parallel=4))
    index.create()

    def work(thread: int) -> None:
        for n in range(EACH):
            sequence = index.append([entry(thread, n, seed=thread)], after=index.snapshot())
            snapshot = index.snapshot(min_sequence=sequence)
            assert snapshot.find(key(thread, n)) == entry(thread, n, seed=thread)
            answer = snapshot.search(Query(features=look(thread), num=n + 1))
            assert [h.likeness.hamming for h in answer.hits] == [0] * (n + 1)
            if n % 3 == thread % 3:
                index.maintain()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    while index.maintain().more:
        pass
    assert index.snapshot().pictures == THREADS * EACH
    assert Index(store, "i/", model="m").scrub().problems == ()
