"""Runs a piece of Python and reports over a channel.

    PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex python -B -X utf8 proctor_code.py

proctor_piece.py and proctor_host.py must lie beside this file; docs/code.md has the request and the
records. This file is short because Python compiles the file it is started with each time.

Exit code: the piece's own; 2 no or a wrong request.
"""
import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")
import proctor_piece  # noqa: E402

proctor_piece.main()
