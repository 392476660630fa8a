"""Read somebody's bucket: the pictures of a task and its increment.meta."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from imagesearch.errors import (
    BucketElsewhere,
    ForeignBucket,
    ImageSearchError,
    ListNotAllowed,
    MetaChanged,
    NoSuchObject,
    PictureNotInSource,
    PictureTooBig,
    ReadNotAllowed,
    StorageUnavailable,
    UnknownBucket,
)
from imagesearch.storage import ObjectInfo, ObjectStore

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

__all__ = ["MAX_PICTURE", "BucketSource", "Source", "picture_keys"]

MAX_PICTURE = 20 << 20
"""Longest picture file in bytes."""
_BLOCK = 1 << 20
_TRIES = 4
_DENIED = {"AccessDenied", "403", "AllAccessDisabled", "InvalidAccessKeyId", "ExpiredToken"}
_MISSING = {"404", "NoSuchKey", "NotFound"}


class Source(Protocol):
    """The bucket that a task reads. Every method may raise an ``IncrementRefused`` leaf."""

    def check(self, prefix: str) -> bool:
        """Check that the bucket can be reached; tell whether any key begins with ``prefix``."""
        ...

    def find(self, key: str) -> ObjectInfo | None:
        """Describe an object, or return ``None`` if there is none."""
        ...

    def stream(self, found: ObjectInfo) -> Iterator[bytes]:
        """Yield the bytes of exactly that version; :class:`MetaChanged` if it is gone."""
        ...

    def picture(self, path: str, name: str) -> bytes:
        """Return a picture; :class:`PictureNotInSource` or :class:`PictureTooBig`."""
        ...


def picture_keys(path: str, name: str) -> list[str]:
    """Return the keys under which a picture is looked for: below the path, then from the root."""
    folder = path.strip("/")
    plain = name.lstrip("/")
    below = f"{folder}/{plain}" if folder else plain
    return list(dict.fromkeys([below, plain]))


class BucketSource:
    """A bucket on S3.

    ``narrow`` may list and read below the path only; ``wide`` gives a client that may read the
    whole bucket, and is called when a picture is not below the path. ``owner`` is the account that
    must own the bucket and ``region`` the one it must be in, where they are known. Keys that are
    not ``allowed`` are not there. ``own`` is the deployment's store, if this is its bucket: reading
    pictures through it takes a third of the time.
    """

    def __init__(
        self,
        bucket: str,
        narrow: S3Client,
        *,
        wide: Callable[[], S3Client] | None = None,
        owner: str = "",
        region: str = "",
        allowed: Callable[[str], bool] = lambda _key: True,
        own: ObjectStore | None = None,
    ) -> None:
        self.bucket = bucket
        self._narrow = narrow
        self._wide = wide
        self._widened: S3Client | None = None
        self._region = region
        self._allowed = allowed
        self._own = own
        self._address: dict[str, Any] = {"Bucket": bucket}
        if owner:
            self._address["ExpectedBucketOwner"] = owner

    def check(self, prefix: str) -> bool:
        """Check region, owner and listing; tell whether any key begins with ``prefix``."""
        self._check_region()
        with self._translated(listing=True):
            page = self._narrow.list_objects_v2(**self._address, Prefix=prefix, MaxKeys=1)
        return bool(page.get("KeyCount", len(page.get("Contents", []))))

    def find(self, key: str) -> ObjectInfo | None:
        """Describe an object, or return ``None`` if there is none."""
        from botocore.exceptions import ClientError

        try:
            with self._translated():
                found = self._narrow.head_object(**self._address, Key=key)
        except ClientError:
            return None
        modified = int(found["LastModified"].timestamp() * 1_000_000)
        return ObjectInfo(key, found["ContentLength"], found["ETag"], modified)

    def stream(self, found: ObjectInfo) -> Iterator[bytes]:
        """Yield the bytes of exactly that version, in blocks of a megabyte."""
        for start in range(0, found.size, _BLOCK):
            yield self._block(found, start, min(_BLOCK, found.size - start))

    def picture(self, path: str, name: str) -> bytes:
        """Return a picture, looked for below the path and then from the bucket's root."""
        for place, key in enumerate(picture_keys(path, name)):
            if not self._allowed(key):
                continue
            body = _of_own(self._own, key) if self._own else self._of_others(key, wide=place > 0)
            if body is not None:
                return body
        raise PictureNotInSource(
            f"bucket {self.bucket!r} has none of {', '.join(picture_keys(path, name))}."
        )

    def _check_region(self) -> None:
        with self._translated(listing=True):
            found = self._narrow.head_bucket(**self._address)
        seen = found.get("BucketRegion") or found["ResponseMetadata"]["HTTPHeaders"].get(
            "x-amz-bucket-region"
        )
        if seen and self._region and seen != self._region:
            raise self._elsewhere(seen)

    def _elsewhere(self, seen: str) -> BucketElsewhere:
        return BucketElsewhere(
            f"bucket {self.bucket!r} is in {seen}; the instance is in {self._region}.",
            f"存储桶 {self.bucket!r} 在 {seen}，而实例在 {self._region}。",
        )

    def _widest(self) -> S3Client:
        if self._widened is None:
            self._widened = self._wide() if self._wide else self._narrow
        return self._widened

    def _of_others(self, key: str, *, wide: bool) -> bytes | None:
        return self._read(self._widest() if wide else self._narrow, key)

    def _read(self, client: S3Client, key: str) -> bytes | None:
        from botocore.exceptions import ClientError, HTTPClientError

        for attempt in range(_TRIES):
            try:
                with self._translated():
                    found = client.get_object(**self._address, Key=key)
                if found["ContentLength"] > MAX_PICTURE:
                    raise _too_big(key, f"{found['ContentLength']:,}")
                return found["Body"].read()
            except ClientError:
                return None
            except (HTTPClientError, OSError) as error:
                if attempt == _TRIES - 1:
                    raise StorageUnavailable(f"reading {key} broke off.") from error
        raise AssertionError("unreachable")

    def _block(self, found: ObjectInfo, start: int, length: int) -> bytes:
        from botocore.exceptions import ClientError, HTTPClientError

        span = f"bytes={start}-{start + length - 1}"
        for attempt in range(_TRIES):
            try:
                with self._translated():
                    answer = self._narrow.get_object(
                        **self._address, Key=found.key, Range=span, IfMatch=found.etag
                    )
                return answer["Body"].read()
            except ClientError:
                break
            except (HTTPClientError, OSError) as error:
                if attempt == _TRIES - 1:
                    raise StorageUnavailable(f"reading {found.key} broke off.") from error
        raise MetaChanged(
            f"{found.key} is not the file of {found.size:,} bytes any more that was submitted.",
            f"{found.key} 已不是提交时的文件（{found.size:,} 字节）。",
        )

    @contextmanager
    def _translated(self, *, listing: bool = False) -> Iterator[None]:
        """Turn a refusal into its cause; that an object is missing or changed stays as it is."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            cause = self._cause(error, code, status, listing=listing)
            if cause is not None:
                raise cause from error
            raise
        except BotoCoreError as error:
            raise self._silent() from error

    def _cause(
        self, error: ClientError, code: str, status: int, *, listing: bool
    ) -> ImageSearchError | None:
        bucket = self.bucket
        if code == "NoSuchBucket" or (listing and status == 404):
            return UnknownBucket(f"there is no bucket {bucket!r}.", f"存储桶 {bucket!r} 不存在。")
        if status == 301 or code in {"PermanentRedirect", "AuthorizationHeaderMalformed"}:
            headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
            return self._elsewhere(headers.get("x-amz-bucket-region", "another region"))
        if status == 403 or code in _DENIED:
            return self._denied(listing=listing)
        if status in {404, 412} or code in _MISSING:
            return None
        return StorageUnavailable(f"bucket {bucket!r} answered {status} {code}.")

    def _denied(self, *, listing: bool) -> ImageSearchError:
        bucket = self.bucket
        owner = self._address.get("ExpectedBucketOwner")
        if owner and not self._opens(self._address) and self._opens({"Bucket": bucket}):
            return ForeignBucket(
                f"bucket {bucket!r} does not belong to account {owner}.",
                f"存储桶 {bucket!r} 不属于账号 {owner}。",
            )
        if listing:
            return ListNotAllowed(
                f"bucket {bucket!r} may not be listed.", f"无权列出存储桶 {bucket!r}。"
            )
        return ReadNotAllowed(
            f"objects of bucket {bucket!r} may not be read.", f"无权读取存储桶 {bucket!r} 的对象。"
        )

    def _opens(self, address: dict[str, Any]) -> bool:
        """Tell whether the bucket itself is open to us, with or without its expected owner."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._narrow.head_bucket(**address)
        except ClientError:
            return False
        except BotoCoreError as error:
            raise self._silent() from error
        return True

    def _silent(self) -> StorageUnavailable:
        return StorageUnavailable(f"bucket {self.bucket!r} does not answer.")


def _of_own(store: ObjectStore, key: str) -> bytes | None:
    try:
        body = store.get_range(key, 0, MAX_PICTURE + 1)
    except NoSuchObject:
        return None
    if len(body) > MAX_PICTURE:
        raise _too_big(key, f"more than {MAX_PICTURE:,}")
    return body


def _too_big(key: str, seen: str) -> PictureTooBig:
    return PictureTooBig(f"{key} has {seen} bytes; the limit is {MAX_PICTURE:,}.")
