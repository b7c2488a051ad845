"""Fresh randomness in a fork of a zygote, which otherwise begins with the generators' states of all its siblings.

`os.urandom`, `secrets` and `uuid.uuid4` ask the kernel each time and need nothing. The seed of `hash()` of texts is the
zygote's own and the same in all its forks: a version that minds is started by exec.
"""
import os
import sys


def reseed():
    """Seeds every generator that has been loaded. `random` registered itself with os.register_at_fork; once more is cheap."""
    for name, seed in _SEEDS.items():
        module = sys.modules.get(name)
        if module is not None:
            seed(module)


def _tempfile(module):
    module._name_sequence = None


_SEEDS = {
    "random": lambda module: module.seed(),
    "numpy.random": lambda module: module.seed(),
    "ssl": lambda module: module.RAND_add(os.urandom(32), 32.0),
    "tempfile": _tempfile,
}
