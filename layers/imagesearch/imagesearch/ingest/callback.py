"""Tell somebody that a task has ended: a signed POST that cannot be turned against us."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from imagesearch.errors import InvalidCallback

__all__ = ["Address", "check_address", "deliver", "sign"]

_SECONDS = 5.0
_PAUSES = (1.0, 4.0)
_MOST = 65_536
_HTTPS, _FIRST_FREE = 443, 1024
# All that has been given out: https://www.iana.org/assignments/ipv6-address-space
_UNICAST = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to call: host name and port as given, and the addresses it stands for."""

    tls: bool
    host: str
    port: int
    target: str
    addresses: tuple[str, ...]


def check_address(url: str, *, private: bool = False) -> Address:
    """Return where a callback goes; :class:`InvalidCallback` unless that is on the Internet.

    Every address that the name stands for must be public, and the call is made to one of these
    very addresses, so that the name cannot mean another by then. ``private`` allows any address,
    and http: for a service that runs on one machine.
    """
    try:
        parts = urlsplit(url)
        port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
    except ValueError:
        raise _refused(url, "it is not a URL", "不是有效的网址") from None
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise _refused(url, "it does not begin with https://", "不以 https:// 开头")
    if not parts.hostname or parts.username is not None or "\\" in url:
        raise _refused(url, "it has no host, or a user name", "缺少主机名或带有用户名")
    if any(ord(c) <= 32 or ord(c) > 126 for c in url) or len(url) > 2000:
        raise _refused(url, "it has spaces or other characters", "含有空格或其他字符")
    if not private and port != _HTTPS and port < _FIRST_FREE:
        raise _refused(
            url,
            f"port {port} is neither {_HTTPS} nor {_FIRST_FREE} or above",
            f"端口 {port} 既不是 {_HTTPS}，也不在 {_FIRST_FREE} 以上",
        )
    addresses = _resolve(url, parts.hostname, port)
    for address in addresses:
        if not private and not _is_public(address):
            raise _refused(
                url,
                f"{parts.hostname} is {address}, which is not on the public Internet",
                f"{parts.hostname} 的地址 {address} 不在公网",
            )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme == "https", parts.hostname, port, target, addresses)


def sign(key: str, timestamp: int, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of ``TIMESTAMP.BODY`` under an instance's callback key."""
    return hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def deliver(
    url: str,
    body: bytes,
    *,
    key: str,
    delivery: str,
    private: bool = False,
    pauses: Sequence[float] = _PAUSES,
) -> str:
    """POST ``body``, again after each of ``pauses`` (s); return "" or why it did not arrive.

    A status of 200 to 299 is an arrival. Redirections are not followed.
    """
    reason = ""
    for pause in (*pauses, None):
        try:
            status = _post(check_address(url, private=private), body, key, delivery)
            if 200 <= status < 300:
                return ""
            reason = f"it answered {status}"
        except InvalidCallback as error:
            return error.detail
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
        if pause is not None:
            time.sleep(pause)
    return reason


def _post(address: Address, body: bytes, key: str, delivery: str) -> int:
    timestamp = int(time.time())
    connection = _Pinned(address)
    try:
        connection.request(
            "POST",
            address.target,
            body,
            {
                "content-type": "application/json",
                "user-agent": "serverless-image-search",
                "x-imagesearch-delivery": delivery,
                "x-imagesearch-timestamp": str(timestamp),
                "x-imagesearch-signature": f"v1={sign(key, timestamp, body)}",
            },
        )
        answer = connection.getresponse()
        answer.read(_MOST)
        return answer.status
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to one of the addresses that were checked, under the host's own name."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.host, address.port, timeout=_SECONDS)
        self._address = address

    def connect(self) -> None:
        failure: OSError | None = None
        for place in self._address.addresses:
            try:
                self.sock = socket.create_connection((place, self._address.port), _SECONDS)
                break
            except OSError as error:
                failure = error
        else:
            raise failure or OSError("there is no address")
        if self._address.tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._address.host)


def _resolve(url: str, host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _refused(url, f"{host} cannot be resolved", f"无法解析 {host}") from None
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_public(address: str) -> bool:
    """Tell whether an address is on the Internet; one that hides an IPv4 address never is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and (
        found not in _UNICAST or found.sixtofour or found.teredo
    ):
        return False
    return found.is_global and not found.is_multicast


def _refused(url: str, reason: str, zh: str) -> InvalidCallback:
    return InvalidCallback(
        f"callback_url {url[:100]!r} cannot be called: {reason}.",
        f"callback_url {url[:100]!r} 无法调用：{zh}。",
    )
