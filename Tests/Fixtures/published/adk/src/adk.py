from Algorithmia import ADK
from src import tasks


def load(state):
    print("loading")
    state["greeting"] = "Hello"
    return state


def apply(input, state):
    return tasks.perform(input, state["greeting"])


algorithm = ADK(apply, load)
algorithm.init("local")
