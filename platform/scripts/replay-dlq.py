#!/usr/bin/env python3
"""Replays dead letters: the path that runbook 3.3 names.

A thin wrapper over `pcw dlq replay`, which does the work. It takes the same flags and adds one rule, because replaying is to be used
with caution: without --yes nothing is changed; what would change is shown row by row.

  platform/scripts/replay-dlq.py --group 3f2a90c1b7de          # shows
  platform/scripts/replay-dlq.py --group 3f2a90c1b7de --yes    # does
  platform/scripts/replay-dlq.py --all --expect 120 --yes

Everything but --yes and --pcw is handed on; `pcw dlq replay --help` lists it. The exit code is that of pcw: 0 all settled,
3 some dead letters are still open, 1 failed or not as many as --expect, 64 usage.

Which pcw: --pcw FILE, else $PCW_BIN, else build/release/bin/pcw of this checkout, else the one on the path.
"""

import os
import pathlib
import shutil
import sys


def find_pcw(named):
    """The binary to run, or None."""
    if named:
        return named
    if os.environ.get("PCW_BIN"):
        return os.environ["PCW_BIN"]
    built = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "bin" / "pcw"
    return str(built) if os.access(built, os.X_OK) else shutil.which("pcw")


def main(arguments):
    is_confirmed = False
    named = None
    handed_on = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--yes":
            is_confirmed = True
        elif argument == "--pcw":
            named = next(rest, None)
        elif argument.startswith("--pcw="):
            named = argument.partition("=")[2]
        elif argument in ("-h", "--help"):
            print(__doc__)
            return 0
        else:
            handed_on.append(argument)
    pcw = find_pcw(named)
    if not pcw:
        print("replay-dlq.py: pcw is not built or not on the path; run scripts/build, or give --pcw FILE", file=sys.stderr)
        return 78
    has_patch = any(argument == "--patch" or argument.startswith("--patch=") for argument in handed_on)
    if not is_confirmed and has_patch:
        print("replay-dlq.py: --patch is kept beside the record at once, so it needs --yes", file=sys.stderr)
        return 64
    if not is_confirmed and "--dry-run" not in handed_on:
        handed_on.append("--dry-run")
        print("replay-dlq.py: showing only; --yes replays", file=sys.stderr)
    try:
        os.execv(pcw, [pcw, "dlq", "replay", *handed_on])
    except OSError as problem:
        print(f"replay-dlq.py: {pcw} cannot be run: {problem.strerror}", file=sys.stderr)
        return 78


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
