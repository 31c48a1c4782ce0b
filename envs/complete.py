"""Make the environment of this interpreter whole; ``make`` calls it after each installation.

If torchvision does not fit the torch beside it, a start-up file is added to the environment, so
that any script in it can import open_clip, timm and torchvision.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "workflow_scripts/stockpot/runtime/torchvision_operators.py"
MODULE = "_torchvision_operators"
SYMPTOM = "operator torchvision::nms does not exist"


def import_error() -> str:
    """What a new interpreter says when it imports torchvision, "" if it can."""
    command = [sys.executable, "-c", "import torchvision"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def main() -> None:
    site_packages = Path(sysconfig.get_path("purelib"))
    start_up = site_packages / f"{MODULE}.pth"
    start_up.unlink(missing_ok=True)  # an earlier one may no longer be wanted
    error = import_error()
    if SYMPTOM in error:
        shutil.copyfile(SOURCE, site_packages / f"{MODULE}.py")
        # Python runs lines of a .pth file that begin with "import" at every start.
        line = f"import sys, {MODULE}; sys.meta_path.insert(0, {MODULE}.WhenImported())\n"
        start_up.write_text(line, encoding="utf-8")
        error = import_error()
    if error:
        sys.exit(f"error: torchvision cannot be imported in {sys.prefix}: {error.splitlines()[-1]}")


if __name__ == "__main__":
    main()
