"""What an upload's entry must be, found out without running any of it."""
import ast

from entry import EntryError
from pyc import SOURCE_BYTES_MAX


def check_entry(path, source):
    """Raises EntryError unless `source` (bytes) parses and has an `apply` that takes one or two inputs."""
    tree = parse_source(path, source)
    try:
        _check_apply(path, tree)
    except RecursionError:
        raise EntryError(f"{path}: its statements are nested too deeply") from None


def parse_source(path, source):
    """The syntax tree of `source` (bytes); raises EntryError naming the line that does not parse."""
    if len(source) > SOURCE_BYTES_MAX:
        raise EntryError(f"{path}: the entry has {len(source)} bytes, limit {SOURCE_BYTES_MAX}")
    try:
        return ast.parse(source, path)
    except SyntaxError as error:
        text = (error.text or "").strip()[:200]
        raise EntryError(f"{path}, line {error.lineno}: {error.msg}" + (f": {text}" if text else "")) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise EntryError(f"{path}: it cannot be parsed: {error or type(error).__name__}") from None


def _check_apply(path, tree):
    found = None
    for statement in _module_statements(tree.body):
        found = _definition(statement) or found
    if found is None:
        raise EntryError(f"{path}: it defines no function apply(input)")
    if isinstance(found, ast.AsyncFunctionDef):
        raise EntryError(f"{path}, line {found.lineno}: apply must not be async")
    if isinstance(found, ast.FunctionDef) and not found.decorator_list:
        _check_parameters(path, found)


def _module_statements(body):
    """Statements that run at import, those inside if, try, with and loops included, in order."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from _module_statements(getattr(statement, field, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _module_statements(handler.body)


def _definition(statement):
    """The statement when it binds the name `apply`, else None."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        names = [statement.name]
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        names = [alias.asname or alias.name for alias in statement.names]
    elif isinstance(statement, ast.Assign):
        names = [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    elif isinstance(statement, ast.AnnAssign) and statement.value and isinstance(statement.target, ast.Name):
        names = [statement.target.id]
    else:
        return None
    return statement if "apply" in names or "*" in names else None


def _check_parameters(path, function):
    given = function.args
    positional = len(given.posonlyargs) + len(given.args)
    required = positional - len(given.defaults)
    keywords = [name.arg for name, value in zip(given.kwonlyargs, given.kw_defaults) if value is None]
    where = f"{path}, line {function.lineno}"
    if keywords:
        raise EntryError(f"{where}: apply must not require the keyword argument {keywords[0]}")
    if required > 2 or (positional == 0 and not given.vararg):
        expected = "1 (input) or 2 (input, state)"
        raise EntryError(f"{where}: apply takes {required} positional parameters, expected {expected}")
