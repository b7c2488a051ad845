"""The rule that finds an algorithm's entry: the file whose `apply` is called."""


class EntryError(Exception):
    """No entry; the message names the rule and what was found."""


def find_entry(names, algorithm):
    """The entry among the archive's top-level file `names`.

    NAME.py (then any spelling of it that differs in case only), else main.py, else the only .py file there is.
    """
    top = sorted(name for name in names if name.endswith(".py") and not name.startswith("."))
    wanted = algorithm + ".py"
    if wanted in top:
        return wanted
    for name in top:
        if name.lower() == wanted.lower():
            return name
    if "main.py" in top:
        return "main.py"
    if len(top) == 1:
        return top[0]
    found = ", ".join(top[:5]) + (", …" if len(top) > 5 else "") if top else "no .py file"
    raise EntryError(f"no entry: expected {wanted}, main.py or one single .py file at the top level, found {found}")
