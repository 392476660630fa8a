"""What is catalogued: instances, their pictures, categories and attributes."""

from imagesearch.catalogue.category import CATEGORIES, OTHER, Category
from imagesearch.catalogue.instance import Instance, InstanceRegister
from imagesearch.catalogue.picture import Attributes, Picture, PictureKey
from imagesearch.catalogue.region import Region
from imagesearch.catalogue.service import Service

__all__ = [
    "CATEGORIES",
    "OTHER",
    "Attributes",
    "Category",
    "Instance",
    "InstanceRegister",
    "Picture",
    "PictureKey",
    "Region",
    "Service",
]
