"""The command line ``synspice``: one command a file, each a thin layer over the package.

Exit codes: 0 done; 1 it ran and the answer is no (a fit failed, a simulation did not end); 2 wrong use, input or set-up
(an unknown name, unusable data, a simulator that is not installed); 3 a fault of the package itself.
"""

from .app import app, main

__all__ = ["app", "main"]
