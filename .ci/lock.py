"""make lock: write constraints.txt anew, the versions that pip chooses today for pyproject's ranges, whatever is installed.

A version is all that a line names: no host and no hash, so that every index and mirror serves it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# The versions that were tested together (Python 3.11, Linux x86-64), transitive ones too; `make lock` writes this file.
# make demo, make test and CI install exactly these; elsewhere: pip install -c constraints.txt .
"""


def main() -> None:
    """Ask pip what it would install into an empty environment, and write that down."""
    groups = [f"--group={name}" for name in ("test", "bench", "build")]
    wanted = ("install", "--dry-run", "--ignore-installed", "--quiet", "--report=-", ".", *groups)
    report = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *wanted],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    found = {
        re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower(): item["metadata"]["version"].partition("+")[0]
        for item in json.loads(report.stdout)["install"]
    }
    del found["audiocli"]
    lines = [f"{name}=={version}\n" for name, version in sorted(found.items())]
    (ROOT / "constraints.txt").write_text(HEAD + "".join(lines))


if __name__ == "__main__":
    main()
