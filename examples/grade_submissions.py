"""Grade a folder of submissions: what `minicnn check FOLDER --csv TABLE.csv` does.

    python examples/grade_submissions.py homework grades.csv

A file or a folder in it is a student's. Each runs in a process of its own with a time limit, but
with your rights: that isolates accidents, not malice. For strangers' files use a container
(docs/teaching.md).
"""

import sys

from minicnn.cli import main

if len(sys.argv) != 3:
    sys.exit("usage: python examples/grade_submissions.py FOLDER TABLE.csv")
folder, table = sys.argv[1:]
main(["check", folder, "--csv", table])
