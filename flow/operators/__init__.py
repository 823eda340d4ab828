"""The operators: one module each; importing the package registers them all.

A new operator is a new module in this folder: nothing else has to be edited.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
