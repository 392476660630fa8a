"""Alibaba Cloud Image Search's API: what the vendor's SDKs send, answered in their terms.

Who comes to ``/`` with a browser gets the page.
"""

from imagesearch.contract.service import Contract
from imagesearch.page import Page
from imagesearch.settings import Settings

handler = Contract.from_environment(otherwise=Page(Settings.from_environment()).front())
