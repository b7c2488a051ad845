"""Makes a picture small."""
import io

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE_PIXELS_MAX = 128
Image.MAX_IMAGE_PIXELS = 64_000_000


class InputError(Exception):
    error_type = "InputError"


def apply(picture):
    """PNG or JPEG as bytes -> PNG as bytes, no side longer than 128 pixels, proportions kept, never enlarged."""
    if not isinstance(picture, bytes):
        raise InputError("send the picture itself, as application/octet-stream")
    try:
        image = Image.open(io.BytesIO(picture), formats=("PNG", "JPEG"))
        image.draft("RGB", (SIDE_PIXELS_MAX, SIDE_PIXELS_MAX))
        image = ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InputError(f"not a PNG or JPEG picture that can be read: {error}") from None
    image.thumbnail((SIDE_PIXELS_MAX, SIDE_PIXELS_MAX))
    small = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "RGB").save(small, "PNG", optimize=True)
    return small.getvalue()
