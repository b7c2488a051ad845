def apply(_):
    while True:
        pass
