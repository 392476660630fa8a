"""The web page: a few static files, served as they are in the package."""

from imagesearch.page.serving import Page

__all__ = ["Page"]
