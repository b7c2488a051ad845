"""Always fails, in the way it is told."""


class Failure(Exception):
    pass


def apply(input):
    """{"message": str, "error_type": str}, both optional; other input counts as {}. Never returns."""
    wishes = input if isinstance(input, dict) else {}
    failure = Failure(wishes.get("message", "this algorithm always fails"))
    if "error_type" in wishes:
        failure.error_type = wishes["error_type"]
    raise failure
