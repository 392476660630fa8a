"""Which roles an instance may read buckets with, and how one is taken on."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from imagesearch.catalogue import Instance
from imagesearch.errors import (
    InvalidRoleArn,
    LostRace,
    NoSuchObject,
    RoleNotAssumable,
    RoleNotRegistered,
    StorageUnavailable,
    UnknownRole,
)
from imagesearch.storage import ObjectStore

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_sts import STSClient

__all__ = ["Credentials", "Lender", "StsLender", "Trust", "TrustRegister", "account_of"]

_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)
_SECONDS = 3600


def account_of(role_arn: str) -> str:
    """Return the account of a role; :class:`InvalidRoleArn` if it is not a role's ARN."""
    match = _ARN.fullmatch(role_arn)
    if match is None:
        raise InvalidRoleArn(
            f"role_arn {role_arn[:100]!r} is not the ARN of an IAM role.",
            f"role_arn {role_arn[:100]!r} 不是 IAM 角色的 ARN。",
        )
    return match[1]


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an instance's owner lets us be, and the secrets between us and them.

    ``external_id`` goes into the trust policy of every role, so that nobody else can have us use
    it; ``callback_key`` signs what is sent to a callback address.
    """

    external_id: str
    callback_key: str
    roles: tuple[str, ...] = ()

    def check(self, role_arn: str) -> None:
        """Raise :class:`RoleNotRegistered` unless the role is one of ours to use."""
        if role_arn not in self.roles:
            raise RoleNotRegistered(
                f"role {role_arn} is not registered for this instance.",
                f"角色 {role_arn} 未在此实例登记。",
            )


class TrustRegister:
    """What is kept of each instance's :class:`Trust`, one object each."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def of(self, instance: Instance) -> Trust:
        """Return the instance's trust, made when it is first asked for."""
        try:
            return self._read(instance)[0]
        except NoSuchObject:
            made = Trust(external_id=secrets.token_hex(16), callback_key=secrets.token_hex(32))
        try:
            self._store.put_if_absent(_key(instance), msgspec.json.encode(made))
        except LostRace:
            return self._read(instance)[0]
        return made

    def change(self, instance: Instance, *, add: str = "", remove: str = "") -> Trust:
        """Register a role, or take one off the register."""
        if add:
            account_of(add)
        self.of(instance)
        while True:
            trust, etag = self._read(instance)
            kept = [role for role in trust.roles if role not in {add, remove}]
            after = msgspec.structs.replace(trust, roles=(*kept, *([add] if add else [])))
            try:
                self._store.compare_and_swap(_key(instance), msgspec.json.encode(after), etag)
            except LostRace:
                continue
            return after

    def _read(self, instance: Instance) -> tuple[Trust, str]:
        found = self._store.get(_key(instance))
        return msgspec.json.decode(found.body, type=Trust), found.etag


def _key(instance: Instance) -> str:
    return f"tasks/trust/{instance.name}/{instance.incarnation}.json"


class IAMClient(Protocol):
    """The one call to IAM that is used."""

    def get_role(self, *, RoleName: str) -> Any:  # noqa: N803, ANN401  boto3's own signature
        """Describe a role of our own account."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys that are valid for an hour."""

    access_key: str
    secret_key: str
    token: str


class Lender(Protocol):
    """Whoever lets us take on a role."""

    def lend(
        self, role_arn: str, external_id: str, bucket: str, prefix: str, *, whole: bool
    ) -> Credentials:
        """Take on a role, narrowed to listing and reading ``prefix`` of ``bucket``.

        With ``whole`` the bucket's other objects may be read too, though not listed. Raises
        :class:`UnknownRole` or :class:`RoleNotAssumable`.
        """
        ...


class StsLender:
    """Roles by AWS STS.

    STS does not tell a role that is missing from one that does not trust us. For a role of our
    own account IAM does; for another account the failure names both possibilities.
    """

    def __init__(self, sts: STSClient, iam: IAMClient | None = None) -> None:
        self._sts = sts
        self._iam = iam

    def lend(
        self, role_arn: str, external_id: str, bucket: str, prefix: str, *, whole: bool
    ) -> Credentials:
        """Take on a role for an hour."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._sts.assume_role(
                RoleArn=role_arn,
                RoleSessionName="imagesearch-increment",
                ExternalId=external_id,
                DurationSeconds=_SECONDS,
                Policy=session_policy(role_arn, bucket, prefix, whole=whole),
            )["Credentials"]
        except ClientError as error:
            raise self._cause(error, role_arn) from error
        except BotoCoreError as error:
            raise StorageUnavailable(f"STS does not answer: {type(error).__name__}.") from error
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def _cause(self, error: ClientError, role_arn: str) -> Exception:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ValidationError":
            return InvalidRoleArn(
                f"STS does not take {role_arn} for a role.", f"STS 不认可角色 ARN {role_arn}。"
            )
        if code not in {"AccessDenied", "NoSuchEntity", "AccessDeniedException"}:
            return StorageUnavailable(f"STS answered {code}.")
        known = self._known(role_arn)
        if known is False or code == "NoSuchEntity":
            return UnknownRole(f"role {role_arn} does not exist.", f"角色 {role_arn} 不存在。")
        doubt = "" if known else " (or does not exist: another account's roles cannot be seen)"
        doubt_zh = "" if known else "（或不存在：其他账号的角色不可见）"
        return RoleNotAssumable(
            f"role {role_arn} does not trust this service{doubt}.",
            f"角色 {role_arn} 未信任本服务{doubt_zh}。",
        )

    def _known(self, role_arn: str) -> bool | None:
        """Tell whether the role exists; ``None`` when that cannot be seen."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self._iam is None:
            return None
        try:
            if self._sts.get_caller_identity()["Account"] != account_of(role_arn):
                return None
            self._iam.get_role(RoleName=role_arn.rpartition("/")[2])
        except ClientError as error:
            return False if error.response.get("Error", {}).get("Code") == "NoSuchEntity" else None
        except BotoCoreError:
            return None
        return True


def session_policy(role_arn: str, bucket: str, prefix: str, *, whole: bool) -> str:
    """Return the policy of a session that may list and read ``prefix`` of ``bucket``, no more."""
    partition = role_arn.split(":")[1]
    arn = f"arn:{partition}:s3:::{bucket}"
    statements = [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
            "Condition": {"StringLikeIfExists": {"s3:prefix": f"{prefix}*"}},
        },
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"{arn}/*" if whole else f"{arn}/{prefix}*",
        },
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
        },
    ]
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": statements}).decode()
