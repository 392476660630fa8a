"""A snapshot: what an index held at one moment, and where a write after it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import EngineUnavailable, ImageSearchError
from imagesearch.index.facets import Facet, facets
from imagesearch.index.log import Entry, Version
from imagesearch.index.manifest import Manifest
from imagesearch.index.meanings import Lacking, MeantAnswer, TextQuery, search_meaning
from imagesearch.index.outposts import Outposts
from imagesearch.index.place import due, operations_of
from imagesearch.index.policy import Policy
from imagesearch.index.ranking import Ranking
from imagesearch.index.reader import Observation
from imagesearch.index.sample import sample
from imagesearch.index.search import Answer, Query, search
from imagesearch.index.view import View

if TYPE_CHECKING:
    from imagesearch.index.wording import WordedAnswer, WordedQuery

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An index as it was when the snapshot was asked for, with every write acknowledged before.

    ``operations`` maps the number of each operation still listed in the log to its sequence,
    ``newest`` is the name of the newest listed log object, ``began`` when (by the process's
    monotonic and wall clock) the snapshot was begun. Searches, and looking up single pictures,
    ask an engine elsewhere if the manifest says so; all else goes through the segments' files.
    """

    view: View
    policy: Policy
    sequence: int
    newest: str
    operations: Mapping[int, int]
    log_bytes: int
    began: tuple[float, int]
    outposts: Outposts

    @classmethod
    def of(cls, seen: Observation, policy: Policy, outposts: Outposts) -> Snapshot:
        """Return the snapshot of what one look at the store found."""
        return cls(
            seen.view,
            policy,
            seen.sequence,
            seen.newest,
            operations_of(seen.listed),
            sum(seen.listed[name] for name in seen.view.tail.names),
            seen.began,
            outposts,
        )

    @property
    def manifest(self) -> Manifest:
        """Return the manifest."""
        return self.view.manifest

    @property
    def generation(self) -> int:
        """Return the manifest's generation; it grows with every fold, merge and rollback."""
        return self.view.manifest.generation

    @property
    def log_length(self) -> int:
        """Return the number of log objects that no segment holds yet."""
        return len(self.view.tail.names)

    @property
    def wants_upkeep(self) -> bool:
        """Tell whether searches would gain from :meth:`Index.maintain`.

        The log is long, or there is much in its listing that could be settled by now.
        """
        return due(self, self.policy)

    @property
    def pictures(self) -> int:
        """Return the number of pictures."""
        return self.view.pictures

    @property
    def products(self) -> int:
        """Return the number of products."""
        return self.view.products

    def fetch(self, ranking: Ranking | None = None) -> None:
        """Have at hand what a first search waits for. Never fails: the search will say why.

        That is nothing of the segments which an engine or ``ranking`` takes.
        """
        with suppress(ImageSearchError):
            rankings = [r for r in (self.outposts.serving(self.manifest), ranking) if r]
            taken = {info.id for one in rankings for info in one.takes(self.manifest)}
            here = (info for info in self.manifest.segments if info.id not in taken)
            self.view.segments(tables_only=False, among=here)

    def search(
        self, query: Query, *, ranking: Ranking | None = None, elsewhere: bool = True
    ) -> Answer:
        """Return the pictures most like the query's.

        If an engine serves the index, it is asked for the segments that it holds, unless
        ``elsewhere`` is false; of the others ``ranking`` ranks those that it takes; the rest is
        ranked here. Raises :class:`~imagesearch.errors.EngineUnavailable`.
        """
        view = self.view
        rankings: list[Ranking] = [ranking] if ranking else []
        if elsewhere and (engine := self.outposts.serving(self.manifest)):
            view, rankings = engine.served(view), [engine, *rankings]
        return search(view, query, self.policy, rankings)

    def search_meaning(self, query: TextQuery) -> MeantAnswer:
        """Return the pictures whose meaning is nearest to a text's; all are compared, exactly."""
        return search_meaning(self.view, query)

    def search_words(self, query: WordedQuery) -> WordedAnswer:
        """Return the pictures that fit words best; all are looked at."""
        from imagesearch.index.wording import search_words  # searches by picture do not pay for it

        return search_words(self.view, query)

    def without_meaning(
        self, *, after: PictureKey | None = None, limit: int = 100
    ) -> list[Lacking]:
        """Return the first ``limit`` pictures after a key that have no meaning, by key.

        A :class:`~imagesearch.index.log.Change` with the meaning of one names its version.
        """
        return [Lacking(*found) for found in self.view.lacking(after=after, limit=limit)]

    def sample(self, count: int, *, seed: int) -> list[Entry]:
        """Return up to ``count`` different pictures at random, the same for the same seed."""
        return sample(self.view, count, seed)

    def facets(
        self,
        fields: Sequence[str],
        *,
        category_id: int | None = None,
        filter: Filter | None = None,
        limit: int = 20,
    ) -> dict[str, Facet]:
        """Count the pictures that pass by each of some fields, exactly."""
        return facets(self.view, fields, category_id=category_id, filter=filter, limit=limit)

    def find(self, key: PictureKey, *, meaning: bool = True) -> Entry | None:
        """Return one picture and its look, or ``None`` if there is none.

        Who has no need of its meaning says so: that may take a request to the store. An engine that
        serves the index is then asked for the rest, and no segment is opened. If that does not
        answer, segments are looked at.
        """
        return self.find_all([key], meaning=meaning).get(key)

    def find_all(
        self, keys: Sequence[PictureKey], *, meaning: bool = True
    ) -> dict[PictureKey, Entry]:
        """Return those of some pictures that there are, as :meth:`find` does, at one go."""
        with suppress(EngineUnavailable):
            if engine := self.outposts.serving(self.manifest):
                return engine.served(self.view).find_all(keys, meaning=meaning)
        return self.view.find_all(keys, meaning=meaning)

    def of_product(self, product_id: str) -> list[PictureKey]:
        """Return the keys of a product's pictures, in order."""
        return self.view.of_product(product_id)

    def written(self, product_id: str) -> list[tuple[PictureKey, Version]]:
        """Return the keys of a product's pictures, in order, and when each was written."""
        return self.view.written(product_id)

    def matching(
        self, filter: Filter | None, *, after: PictureKey | None = None, limit: int = 100
    ) -> list[Picture]:
        """Return the first ``limit`` pictures after a key that pass, in the order of keys."""
        return self.view.matching(filter, after=after, limit=limit)
