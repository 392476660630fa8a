"""Changes of pictures apart from their look, resolved to one value for each property.

A picture's state is what one gets by going through all writes in the order of their versions: an
entry puts a picture, a deletion removes it, a change sets some properties of a picture that is
there. So an entry undoes every change before it, and each property has the value of the newest
change after the entry, whichever object of the log arrives first. Taking the newest of each
property is commutative, and what a fold has written into a row already may be set once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from imagesearch.catalogue import PictureKey
from imagesearch.index.log import Change, Entry, Version

__all__ = ["OF_THE_PICTURE", "Changes", "Setting"]

OF_THE_PICTURE = ("thumbnail", "classes", "meaning")
"""Properties that are found out by looking at a picture; all others are its attributes."""


class Setting(NamedTuple):
    """The value of one property: set at ``version``, on the picture written at ``of`` if given."""

    version: Version
    value: Any
    of: Version | None = None

    def applies(self, written: Version) -> bool:
        """Tell whether it is set on the picture written at that version."""
        return self.version >= written if self.of is None else self.of == written

    def replaces(self, other: Setting) -> bool:
        """Tell whether this is the later one. What was found out of a later picture is later."""
        first = Version(0, 0)
        return (self.of or first, self.version) >= (other.of or first, other.version)


Settings = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Changes:
    """The newest setting of each property of each picture."""

    settings: Mapping[PictureKey, Settings] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.settings)

    def plus(self, more: Iterable[tuple[Change, Version]]) -> Changes:
        """Return these and more changes."""
        return self._with((change.key, _settings(change, at)) for change, at in more)

    def merged(self, other: Changes) -> Changes:
        """Return the changes of both."""
        if not self or not other:
            return self or other
        return self._with((key, settings.items()) for key, settings in other.settings.items())

    def after(self, clock: int) -> Changes:
        """Return what must be remembered of changes that were folded: attributes set later.

        A picture that was not there yet at the fold may still arrive from between ``clock`` and
        the change. What was found out of a picture needs no memory: that picture was there.
        """
        kept = {
            key: {n: s for n, s in settings.items() if s.of is None and s.version.clock > clock}
            for key, settings in self.settings.items()
        }
        return Changes({key: settings for key, settings in kept.items() if settings})

    def applied(self, entry: Entry, written: Version) -> Entry:
        """Return an entry with what was changed of it; itself if that is nothing."""
        settings = self.settings.get(entry.picture.key)
        given = {n: s.value for n, s in (settings or {}).items() if s.applies(written)}
        if not given:
            return entry
        meaning = given.pop("meaning", entry.meaning)
        seen = {name: given.pop(name) for name in OF_THE_PICTURE if name in given}
        attributes = replace(entry.picture.attributes, **given)
        changed = Entry(
            replace(entry.picture, attributes=attributes, **seen), entry.features, meaning
        )
        return entry if changed == entry else changed

    def _with(self, more: Iterable[tuple[PictureKey, Iterable[tuple[str, Setting]]]]) -> Changes:
        settings = dict(self.settings)
        for key, given in more:
            newest = dict(settings.get(key, {}))
            for name, setting in given:
                if name not in newest or setting.replaces(newest[name]):
                    newest[name] = setting
            settings[key] = newest
        return Changes(settings)


def _settings(change: Change, at: Version) -> Iterator[tuple[str, Setting]]:
    for name, value in change.attributes.items():
        yield name, Setting(at, value)
    for name in OF_THE_PICTURE:
        if (value := getattr(change, name)) is not None:
            yield name, Setting(at, value, change.of)
