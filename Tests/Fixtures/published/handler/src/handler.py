import Algorithmia
from . import tasks


def apply(input, greeting):
    return tasks.perform(input, greeting)


def load():
    return "Hello"


Algorithmia.handler(apply, load).serve()
