"""From a stranger's bytes to a vector: intake, subject, category, features, model bundles.

The heavy libraries (Pillow, ONNX Runtime) are imported when a picture is first looked at.
"""

from imagesearch.vision.reasons import Reasons
from imagesearch.vision.vision import View, Vision

__all__ = ["Reasons", "View", "Vision"]
