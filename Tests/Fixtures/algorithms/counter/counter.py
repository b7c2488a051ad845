calls = 0


def apply(_):
    global calls
    calls += 1
    return calls
