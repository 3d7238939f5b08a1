"""English of what the page says when something was given that cannot be used; made as `texts` is.

In: names of fields and what was given. Out: strings, not escaped, that name the field, the value and the remedy.
"""

from __future__ import annotations

import reprlib

from studio import texts

NO_SUCH_WEEK = "{field}: {week!r} is not in the sales data. Choose a week from {first} to {last}."
NO_SALES = (
    "{field}: nothing of {category} was sold in {week}, so there is nothing to rank against. Choose another week."
)
NOT_A_NUMBER = "{label}: {value} is not a number that can be used. Give a number."
NOT_WHOLE = "{label}: {value} is not a whole number. Give a whole number."
NOT_TEXT = "{label}: {kind} is not text. Give text."
UNKNOWN_ATTRIBUTE = "{field}: {value} is unknown. Choose one of {choices}."
NO_UPLOAD = "{label}: no file arrived. Choose a PNG, JPEG or WebP file."
NO_SUCH_BESTSELLER = "{field}: article {article} has no picture in this week. Choose one of the bestsellers shown."
NOT_PICTURES = "{field}: {given}. Give a list of 1 to {most} pictures."
WERE_GIVEN, IS_NO_LIST = "{count} were given", "{kind} is no list"
NOT_A_PICTURE = (
    "{label}: {shown} is neither a data URL (data:image/png;base64,...) nor a file that was uploaded before. "
    "Give one of them."
)
PICTURE_TOO_LARGE = "{label}: it has more than {megabytes} MB. Give a smaller picture."
LINE_FULL = "{most} requests wait for the model already. Press {button} again in a while."


def no_such_week(week: str, first: str, last: str) -> str:
    """Error for a week without sales data."""
    return NO_SUCH_WEEK.format(field=texts.WEEK, week=week, first=first, last=last)


def no_sales(week: str, category: str) -> str:
    """Error for a week in which nothing of the category was sold."""
    return NO_SALES.format(field=texts.WEEK, category=texts.CATEGORIES[category], week=week)


def not_a_number(label: str, value: object) -> str:
    """Error for a setting that is no number."""
    return NOT_A_NUMBER.format(label=label, value=reprlib.repr(value))


def not_whole(label: str, value: object) -> str:
    """Error for a count that is not whole."""
    return NOT_WHOLE.format(label=label, value=reprlib.repr(value))


def not_text(label: str, value: object) -> str:
    """Error for a text field that holds something else."""
    return NOT_TEXT.format(label=label, kind=type(value).__name__)


def unknown_attribute(attribute: object) -> str:
    """Error for an unknown trend attribute."""
    return UNKNOWN_ATTRIBUTE.format(
        field=texts.ATTRIBUTE, value=reprlib.repr(attribute), choices=", ".join(texts.ATTRIBUTE_LABELS)
    )


def no_upload(label: str) -> str:
    """Error for an upload that never came."""
    return NO_UPLOAD.format(label=label)


def no_such_bestseller(article_id: object) -> str:
    """Error for an article whose picture is asked for and that is not among the week's bestsellers."""
    return NO_SUCH_BESTSELLER.format(field=texts.UNDER, article=reprlib.repr(article_id))


def not_pictures(value: object, most: int) -> str:
    """Error for something else than a list of pictures."""
    if isinstance(value, list):
        given = WERE_GIVEN.format(count=len(value))
    else:
        given = IS_NO_LIST.format(kind=type(value).__name__)
    return NOT_PICTURES.format(field=texts.PICTURES_GIVEN, given=given, most=most)


def not_a_picture(label: str, shown: str) -> str:
    """Error for a picture that is neither a data URL nor an upload."""
    return NOT_A_PICTURE.format(label=label, shown=shown)


def picture_too_large(label: str, megabytes: int) -> str:
    """Error for a data URL that is too long."""
    return PICTURE_TOO_LARGE.format(label=label, megabytes=megabytes)


def line_full(most: int, button: str) -> str:
    """Error when no more requests may wait."""
    return LINE_FULL.format(most=most, button=button)


def capital(message: str) -> str:
    """The message as a sentence of the page."""
    return message[:1].upper() + message[1:]
