"""Runs commands of the program one after another in one process, each under its own heading.

Arguments: the program's commands, a JSON list of lists of words.
"""

import json
import sys

from minicnn.cli import main

for words in json.loads(sys.argv[1]):
    print("command:", *words, flush=True)
    try:
        main(words)
    except SystemExit as ended:
        sys.stdout.flush()
        print("status:", ended.code or 0, flush=True)
