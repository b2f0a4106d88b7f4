"""Calls one function of a Python file with JSON arguments and reports over a channel.

    PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex python -B -X utf8 proctor_call.py

proctor_host.py must lie beside this file; docs/functions.md has the request, the
records and the JSON forms of values. This file is short because Python
compiles the file it is started with each time, and the other only once.

Exit code: 0 a final record was sent; 2 no or a wrong request; 3 a component is missing.
"""
import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")
import proctor_host  # noqa: E402

proctor_host.main()
