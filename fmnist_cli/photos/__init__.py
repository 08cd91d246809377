"""From a photo of a garment to an image like those of the data set."""

from typing import Final

PREPARATION: Final = 1
"""Version of the preparation; images that another version prepared are not reused."""
