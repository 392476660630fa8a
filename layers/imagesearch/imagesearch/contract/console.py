"""Operations about an instance as a whole: its figures and its exports."""

from __future__ import annotations

from typing import Any

from imagesearch.catalogue import Service
from imagesearch.contract.call import Caller
from imagesearch.operations.dump import Dump, dump_instance, dump_url, list_dumps
from imagesearch.operations.instances import NamedInstance, describe_instance

__all__ = ["detail", "dump_meta", "dump_meta_list"]

Json = dict[str, Any]

_SERVICE_TYPES = {
    Service.PRODUCT: 0,
    Service.GENERIC: 1,
    Service.FABRIC: 2,
    Service.TRADEMARK: 3,
}
# There is no plan to be bought here: five million pictures is what one instance is tested for,
# a hundred queries a second what an account's default concurrency carries.
_CAPACITY = 500
_QPS = 100
_NEVER = 4_102_444_800_000


def detail(caller: Caller) -> Json:
    """Detail: capacity in ten thousands, times in milliseconds as text."""
    described = describe_instance(caller.deployment, _named(caller))
    instance = described.instance
    return {
        "Success": True,
        "Instance": {
            "Name": instance.name,
            "Capacity": _CAPACITY,
            "Qps": _QPS,
            "Region": caller.region,
            "ServiceType": _SERVICE_TYPES[instance.service],
            "TotalCount": described.pictures,
            "UtcCreate": str(instance.created // 1000),
            "UtcExpireTime": str(_NEVER),
        },
    }


def dump_meta(caller: Caller) -> Json:
    """DumpMeta: the id is text here, a number in the list."""
    dump = dump_instance(caller.deployment, _named(caller))
    return {"Success": True, "Data": {"Id": str(dump.id), "DumpMetaStatus": dump.state}}


def dump_meta_list(caller: Caller) -> Json:
    """DumpMetaList, newest first."""
    fields, named = caller.fields, _named(caller)
    page = fields.number("PageNumber", 1, least=1, most=2**31 - 1)
    size = fields.number("PageSize", 10, least=1, most=500)
    dumps = list_dumps(caller.deployment, named)
    if fields.get("Id") is not None:
        wanted = fields.number("Id", 0, least=0, most=2**63 - 1)
        dumps = [dump for dump in dumps if dump.id == wanted]
    shown = dumps[(page - 1) * size : page * size]
    return {
        "Data": {
            "TotalCount": len(dumps),
            "PageNumber": page,
            "PageSize": size,
            "DumpMetaList": [
                _dump(dump, dump_url(caller.deployment, named, dump)) for dump in shown
            ],
        }
    }


def _dump(dump: Dump, url: str) -> Json:
    return {
        "Id": dump.id,
        "Code": {"SUCCESS": "0", "PROCESSING": ""}.get(dump.state, "Console.InternalError"),
        "Msg": dump.message or {"SUCCESS": "success"}.get(dump.state, ""),
        "Status": dump.state,
        "MetaUrl": url,
        "UtcCreate": str(dump.id // 1000),
        "UtcModified": dump.changed // 1000,
    }


def _named(caller: Caller) -> NamedInstance:
    return NamedInstance(instance=caller.fields.instance)
