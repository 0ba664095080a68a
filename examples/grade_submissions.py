"""Grade a folder of submissions: one row a file in a table, and what was wrong how often.

    python examples/grade_submissions.py homework grades.csv

Folders inside are graded too. Each file runs in a process of its own with a time limit, but with
your rights: that isolates accidents, not malice. For strangers' files use an account or a container
that has nothing to lose.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from minicnn import InputError
from minicnn.checking import check_file

if len(sys.argv) != 3 or not Path(sys.argv[1]).is_dir():
    sys.exit("usage: python examples/grade_submissions.py FOLDER TABLE.csv")
folder, table = map(Path, sys.argv[1:])
rows, faults = [], Counter()
for path in sorted(folder.rglob("*.py")):
    remark, findings = "", []
    try:
        findings = check_file(path)
    except InputError as error:
        remark = str(error)
        faults["a file that cannot be used"] += 1
    wrong = [finding for finding in findings if finding.verdict != "correct"]
    named = [f"{finding.function}: {finding.fault or finding.verdict}" for finding in wrong]
    faults.update(finding.fault or finding.verdict for finding in wrong)
    rows.append({
        "submission": str(path.relative_to(folder)),
        "correct": len(findings) - len(wrong),
        "checked": len(findings),
        "faults": "; ".join(named),
        "remark": remark or " ".join(finding.message for finding in wrong),
    })

with table.open("w", newline="", encoding="utf-8") as file:
    writer = csv.DictWriter(file, ["submission", "correct", "checked", "faults", "remark"])
    writer.writeheader()
    writer.writerows(rows)

print(f"{len(rows)} submissions in {table}")
for fault, count in faults.most_common():
    print(f"{count:4}  {fault}")
