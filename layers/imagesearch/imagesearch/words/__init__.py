"""Words: what a query asks for, what classes are called, where a text lies among meanings.

The encoder's weights lie in a folder of their own, which is opened at the first query by text.
"""

from imagesearch.words.query import understood

__all__ = ["understood"]
