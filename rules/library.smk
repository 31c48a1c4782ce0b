# The library is that of this workflow. Where another one is installed, or none, as in an environment that
# has only Snakemake and the dependencies, Python finds it beside these rules, here and in all jobs.
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from snakemake.sourcecache import LocalGitFile, LocalSourceFile


# A file in a local Git repository: it joins paths of any type, and without the slash that Snakemake puts
# before those at the top.
def joined(self, path, join=LocalGitFile.join):
    file = join(self, str(path))
    file.path = file.path.lstrip("/")
    return file


LocalGitFile.join = joined


# Write a version of a repository. Git writes files that differ, so that others keep their dates.
def check_out(repository, version, folder):
    folder.mkdir(parents=True, exist_ok=True)
    index = {**os.environ, "GIT_INDEX_FILE": str(folder / ".index")}
    git = ["git", "-C", repository, f"--work-tree={folder}"]
    subprocess.run([*git, "read-tree", "--reset", "-u", version], env=index, check=True)


rules_folder = workflow.current_basedir
if isinstance(rules_folder, LocalSourceFile):
    checkout = Path(str(rules_folder)).parent
else:
    checkout = Path(".snakemake/stockpot").absolute()
    if workflow.is_main_process:  # jobs find it there
        hosted = not isinstance(rules_folder, LocalGitFile)
        clone = rules_folder.hosted_repo.repo_clone if hosted else rules_folder.repo_path
        check_out(clone, rules_folder.ref, checkout)

library = checkout / "workflow_scripts"
installed = getattr(importlib.util.find_spec("stockpot"), "origin", None)
if installed is None or Path(installed).resolve().parents[1] != library.resolve():
    sys.path.insert(0, str(library))
    before = [folder for folder in [os.getenv("PYTHONPATH")] if folder]
    os.environ.update(PYTHONPATH=os.pathsep.join([str(library), *before]))
