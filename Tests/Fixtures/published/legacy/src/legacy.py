from . import tasks


def apply(input):
    return tasks.perform(input, "Hello")
