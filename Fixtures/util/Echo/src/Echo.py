"""Gives back what it got."""


def apply(input):
    """Text, JSON or binary data -> the same; a JSON string is text, and comes back as text."""
    return input
