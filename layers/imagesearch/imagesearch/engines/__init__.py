"""Vector engines elsewhere, behind the seam of :mod:`imagesearch.index.engine`."""

from __future__ import annotations

import re
from functools import partial

from imagesearch.index.engine import Engine

__all__ = ["open_engine"]

_S3_VECTORS = re.compile(
    r"s3vectors:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
)
_MILVUS = re.compile(r"milvus:([A-Za-z_][A-Za-z0-9_]{0,254})")


def open_engine(
    name: str, *, uri: str = "", token: str = "", region: str = "", owner: str = ""
) -> Engine:
    """Return the engine that is called ``name``; nothing is asked of it yet.

    ``s3vectors:BUCKET/INDEX`` is a vector index of Amazon S3 Vectors, in ``region`` (empty: the
    one of the environment); ``uri`` is an endpoint in place of AWS's own. ``milvus:COLLECTION``
    is a collection of the Milvus at ``uri``, which takes ``token``. What is made is marked as
    ``owner``'s, and nothing else is used. Raises :class:`ValueError` for a name of neither form,
    and for a Milvus without ``uri``.
    """
    if match := _S3_VECTORS.fullmatch(name):
        from imagesearch.engines import s3vectors

        client = partial(s3vectors.connect, endpoint=uri or None, region=region or None)
        return s3vectors.S3VectorsEngine(client, match[1], match[2], owner)
    if match := _MILVUS.fullmatch(name):
        from imagesearch.engines import milvus

        if not uri:
            raise ValueError(f"{name} needs the address of its Milvus; the setting is empty")
        return milvus.MilvusEngine(partial(milvus.connect, uri, token), match[1], owner)
    raise ValueError(
        f"{name[:200]!r} names no engine: s3vectors:BUCKET/INDEX or milvus:COLLECTION is expected"
    )
