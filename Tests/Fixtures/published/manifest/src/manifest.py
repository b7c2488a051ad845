from Algorithmia import ADK


def load(state):
    for name in ("words", "numbers"):
        with open(state.get_model(name)) as file:
            state[name] = file.read().split()
    return state


def apply(input, state):
    if input in ("words", "numbers"):
        return state[input]
    return state.get_model(input)


algorithm = ADK(apply, load)
algorithm.init("words")
