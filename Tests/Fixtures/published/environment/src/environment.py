import Algorithmia
from src import tasks

client = Algorithmia.client()


def apply(input):
    return tasks.perform(input, "Hello")
