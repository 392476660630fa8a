"""What one function environment keeps open between calls."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

from imagesearch.catalogue import Instance, InstanceRegister
from imagesearch.errors import ImageSearchError, ModelMismatch, UnknownInstance
from imagesearch.index import Answer, Index, Place, Policy, Query, Snapshot
from imagesearch.observe import logger
from imagesearch.operations.engines import Engines
from imagesearch.settings import Settings
from imagesearch.storage import ObjectStore

if TYPE_CHECKING:
    from imagesearch.index.engine import Engine
    from imagesearch.index.fanout import FanOut
    from imagesearch.vision import Vision
    from imagesearch.vision.library import Library

__all__ = ["Catalogue", "Compaction", "Deployment", "Placed"]

T = TypeVar("T")


class Compaction(Protocol):
    """Whoever folds a long log."""

    def __call__(self, instance: str) -> None:
        """Fold the instance's log, now or soon."""
        ...


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An instance together with one consistent view of its pictures."""

    instance: Instance
    index: Index
    snapshot: Snapshot
    downloads: int = 0
    """What :attr:`Index.downloads` was before."""
    ranking: FanOut | None = None
    """Who ranks the segments if there are many, but for those that an engine holds."""

    @property
    def wants_upkeep(self) -> bool:
        """Tell whether searches would gain from upkeep."""
        return self.snapshot.wants_upkeep

    def search(self, query: Query) -> Answer:
        """Return the pictures most like the query's, whoever ranks them."""
        return self.snapshot.search(query, ranking=self.ranking)

    def fetch(self) -> None:
        """Have at hand what a first search waits for. Never fails: the search will say why."""
        self.snapshot.fetch(self.ranking)


@dataclass(frozen=True, slots=True)
class Placed:
    """An instance and where a write to it belongs."""

    instance: Instance
    index: Index
    place: Place

    @property
    def wants_upkeep(self) -> bool:
        """Tell whether searches would gain from upkeep."""
        return self.place.wants_upkeep


class Deployment:
    """The store, the models and the indexes that one function environment holds open.

    Everything is made at first use, so that a function pays only for what it needs.
    """

    def __init__(
        self,
        settings: Settings,
        store: ObjectStore,
        *,
        vision: Callable[[], Vision] | None = None,
        compaction: Compaction | None = None,
        rankers: Callable[[str, Policy], FanOut] | None = None,
        engines: Callable[[str], Engine] | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.instances = InstanceRegister(store)
        self.engines = Engines(settings, engines)
        self._load_vision = vision
        self._compaction = compaction
        self._rankers = rankers
        self._indexes: dict[str, Index] = {}
        self._others: dict[str, Vision] = {}
        self._loading = Lock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="deployment")

    @classmethod
    def from_environment(cls) -> Deployment:
        """Open the deployment that the environment variables describe."""
        from imagesearch.storage.lean import open_store

        settings = Settings.from_environment()
        store = open_store(settings.bucket, endpoint=settings.endpoint)
        compaction = _asynchronous(settings.compact_function) if settings.compact_function else None
        return cls(settings, store, compaction=compaction, rankers=_rankers(settings))

    @cached_property
    def vision(self) -> Vision:
        """Return the loaded model bundle: the one the settings name, else the layer's."""
        from imagesearch.vision import Vision

        if self._load_vision:
            return self._load_vision()
        if not self.settings.bundle:
            return Vision.load(self.settings.models)
        return Vision.load(self.library.fetch(self.settings.bundle))

    @cached_property
    def library(self) -> Library:
        """Return the bundles that are published in the deployment's bucket."""
        from imagesearch.vision.library import Library

        return Library(self.store, self.settings.cache / "models")

    def warm(self) -> None:
        """Load the models now, so that the first request (or a snapshot) has them.

        A model that does not load is reported by the request that needs it, in plain words.
        """
        try:
            self.vision.warm()
        except ImageSearchError:
            logger().exception("the models did not load")

    def open(self, name: str, *, min_sequence: int | None = None) -> Catalogue:
        """Return the instance and what it holds now, including every acknowledged write.

        Raises :class:`UnknownInstance` if there is none.
        """
        return self._with_instance(name, lambda instance: self._view(instance, min_sequence))

    def place(self, name: str) -> Placed:
        """Return where a write to an instance belongs, whatever it holds now.

        Raises :class:`UnknownInstance` if there is none.
        """

        def placed(instance: Instance) -> Placed:
            index = self.index(instance)
            return Placed(instance, index, index.place())

        return self._with_instance(name, placed)

    def open_soon(
        self, name: str, *, min_sequence: int | None = None, searching: bool = False
    ) -> Future[Catalogue]:
        """Begin :meth:`open` on another thread, to overlap it with looking at a picture.

        For ``searching`` a cold environment fetches the index meanwhile as well.
        """

        def opened() -> Catalogue:
            catalogue = self.open(name, min_sequence=min_sequence)
            if searching:
                catalogue.fetch()
            return catalogue

        return self._pool.submit(opened)

    def soon(self, work: Callable[[], T]) -> Future[T]:
        """Begin some work on another thread."""
        return self._pool.submit(work)

    def index(self, instance: Instance) -> Index:
        """Return the index of an instance, the same object every time."""
        if instance.prefix not in self._indexes:
            self._indexes[instance.prefix] = Index(
                self.store,
                instance.prefix,
                model=instance.model,
                cache=self.settings.cache / (instance.index or instance.incarnation),
                engines=self.engines.of(instance.prefix),
            )
        return self._indexes[instance.prefix]

    def ranking(self, instance: Instance, index: Index) -> FanOut | None:
        """Return how functions share the instance's segments; ``None`` if there are no such."""
        return self._rankers(instance.prefix, index.policy) if self._rankers else None

    def vision_of(self, instance: Instance) -> Vision:
        """Return the bundle whose vectors may be compared with the instance's.

        That is the deployment's own or one that is published in its bucket, kept from then on.
        Raises :class:`ModelMismatch` when it is neither.
        """
        model = instance.model
        if model not in {self.vision.model, *self._others} and model not in self.library:
            raise ModelMismatch(
                f"instance {instance.name!r} was built with model {model!r}; "
                f"this deployment has {self.vision.model!r}.",
                fix="Publish the instance's model bundle, or reindex the instance with another.",
            )
        return self.vision_called(model)

    def vision_called(self, model: str) -> Vision:
        """Return the deployment's own bundle or a published one by its id.

        Raises :class:`~imagesearch.errors.ModelError` when it is neither.
        """
        from imagesearch.vision import Vision

        if model == self.vision.model:
            return self.vision
        with self._loading:
            if model not in self._others:
                self._others[model] = Vision.load(self.library.fetch(model))
            return self._others[model]

    def wrote(self, catalogue: Catalogue | Placed) -> None:
        """Have upkeep done if it is due. Never fails: the write itself is durable."""
        if not catalogue.wants_upkeep:
            return
        try:
            if self._compaction:
                self._compaction(catalogue.instance.name)
            else:
                catalogue.index.maintain()
        except Exception:
            logger().exception("upkeep did not start", extra={"instance": catalogue.instance.name})

    def _with_instance(self, name: str, opened: Callable[[Instance], T]) -> T:
        instance = self.instances.get(name)
        try:
            return opened(instance)
        except UnknownInstance:
            # Erased, and perhaps made anew, or moved, since this environment saw it last.
            self._indexes.pop(instance.prefix, None)
            self.instances.doubt(name)
            return opened(self.instances.get(name))

    def _view(self, instance: Instance, min_sequence: int | None) -> Catalogue:
        index = self.index(instance)
        before = index.downloads
        return Catalogue(
            instance,
            index,
            index.snapshot(min_sequence=min_sequence),
            before,
            self.ranking(instance, index),
        )


def _asynchronous(function: str) -> Compaction:
    """Return a compaction that invokes the Lambda ``function`` and does not wait for it."""
    import msgspec

    def invoke(instance: str) -> None:
        import boto3

        boto3.client("lambda").invoke(
            FunctionName=function,
            InvocationType="Event",
            Payload=msgspec.json.encode({"instance": instance}),
        )

    return invoke


def _rankers(settings: Settings) -> Callable[[str, Policy], FanOut] | None:
    if not settings.rankers:
        return None
    from imagesearch.operations.ranking import rankers

    return rankers(settings)
