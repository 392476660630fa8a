"""Alibaba Cloud Image Search's API: what the vendor's SDKs send, answered in their terms."""

from imagesearch.contract.service import Contract

handler = Contract.from_environment()
