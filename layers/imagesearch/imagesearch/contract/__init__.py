"""The vendor's wire: what Alibaba Cloud Image Search's SDKs send, and what they expect back."""
