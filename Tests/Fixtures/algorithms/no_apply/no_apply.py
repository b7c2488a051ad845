def handler(value):
    return value
