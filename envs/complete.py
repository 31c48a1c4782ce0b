"""Make the environment of this interpreter whole; ``make`` calls it after each installation.

If torchvision does not fit the torch beside it, a start-up file is added to the environment, so
that any script in it can import open_clip, timm and torchvision. If the library could not be
installed, as in a folder with a dollar sign in its name, which setuptools takes for a variable, it
can be imported all the same.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "workflow_scripts"
SOURCE = LIBRARY / "stockpot/runtime/torchvision_operators.py"
MODULE = "_torchvision_operators"
SYMPTOM = "operator torchvision::nms does not exist"


def import_error(package: str) -> str:
    """What a new interpreter says when it imports a package, "" if it can."""
    command = [sys.executable, "-c", f"import {package}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def main() -> None:
    """Add the start-up files that this environment needs.

    Raises:
        SystemExit: If torchvision cannot be imported all the same.
    """
    site_packages = Path(sysconfig.get_path("purelib"))
    if import_error("stockpot"):
        (site_packages / "stockpot.pth").write_text(f"{LIBRARY}\n", encoding="utf-8")
    start_up = site_packages / f"{MODULE}.pth"
    start_up.unlink(missing_ok=True)  # an earlier one may no longer be wanted
    error = import_error("torchvision")
    if SYMPTOM in error:
        shutil.copyfile(SOURCE, site_packages / f"{MODULE}.py")
        # Python runs lines of a .pth file that begin with "import" at every start.
        line = (
            f"import sys, {MODULE}; sys.meta_path.insert(0, {MODULE}.WhenImported())\n"
        )
        start_up.write_text(line, encoding="utf-8")
        error = import_error("torchvision")
    if error:
        sys.exit(
            f"error: torchvision cannot be imported in {sys.prefix}: {error.splitlines()[-1]}"
        )


if __name__ == "__main__":
    main()
