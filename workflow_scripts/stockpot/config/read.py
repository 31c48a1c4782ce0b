"""Read the config files of a study, and merge them into one config.

A study that defines data sets of its own starts from only the documented defaults; one that does
not is a variant of the embedded study. Later files say more; maps are merged key by key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..runtime.errors import StockpotError
from .overlays import drop_stale_options, lay_over, without_nulls
from .paths import relative_to_file
from .training_runs import named_space
from .yaml_file import read_config_file

EMBEDDED = Path("config.yaml")
DEFAULTS = Path("schemas/defaults.yaml")
SPACES = Path("resources/search_spaces")


@dataclass
class StudyFiles:
    """What the files of a study say, and what they are laid over.

    Attributes:
        root: Folder of the checkout.
        base: (file, content) of the defaults or the embedded study.
        given: (file, content) of the user's files, later ones on top.
        command_line: What --config says, on top of all; or what a workflow that uses this one as a
            module gives as its config.
    """

    root: Path
    base: tuple[Path, dict[str, Any]]
    given: list[tuple[Path, dict[str, Any]]]
    command_line: dict[str, Any]

    @property
    def paths(self) -> list[Path]:
        """All files, the base first."""
        return [file for file, _ in self.layers]

    @property
    def layers(self) -> list[tuple[Path, dict[str, Any]]]:
        """(file, content) of all files, the base first."""
        return [self.base, *self.given]

    def as_written(self) -> dict[str, Any]:
        """Merge the files, with paths as the files give them.

        Returns:
            The config. It depends only on the files, not on the working directory.
        """
        contents = [content for _, content in self.layers]
        return self._config(contents)

    def located(self) -> dict[str, Any]:
        """Merge the files, with paths that can be opened.

        Returns:
            The config. A path that exists beside its file is written as seen from the working
            directory.
        """
        contents = []
        for file, content in self.layers:
            contents.append(relative_to_file(content, file))
        return self._config(contents)

    def _config(self, contents: list[dict[str, Any]]) -> dict[str, Any]:
        """Merge the contents of the files and the command line."""
        config = contents[0]
        user_contents = [*contents[1:], self.command_line]
        base_file, _ = self.base
        is_own_study = base_file.name == DEFAULTS.name
        defaults = _without_replaced(read_defaults(self.root), user_contents)
        if is_own_study:
            config = _without_replaced(config, user_contents)
        # File by file: an option is stale only if the file itself changes the kind of the entry.
        for content in user_contents:
            merged = lay_over(config, content)
            config = drop_stale_options(merged, config)
        config.pop("extends", None)
        # After all files, as a later one may give again what an earlier one removes.
        config = without_nulls(config, defaults)
        has_soups = any("soups" in content for content in user_contents)
        if is_own_study and not has_soups:
            config = _without_useless_soups(config)
        config = _with_sweeps(config)
        return named_space(config, self.root / SPACES)


def read_study(
    root: Path,
    files: list[Path],
    command_line: dict[str, Any] | None = None,
) -> StudyFiles:
    """Read the files of a study.

    Args:
        root: Folder of the checkout.
        files: The user's config files, later ones on top.
        command_line: Settings of the command line.

    Returns:
        The files, and what they are laid over.

    Raises:
        StockpotError: If a file cannot be read, with a line per mistake.
    """
    given = [(file, _content(file)) for file in files]
    # The command line can say what a file can.
    contents = [content for _, content in given]
    contents.append(command_line or {})
    extended = [content["extends"] for content in contents if "extends" in content]
    for name in extended:
        if name != EMBEDDED.name:
            raise StockpotError(
                f"extends: {name!r} is not {EMBEDDED.name}; to merge files of your own, use "
                "--configfile one.yaml two.yaml"
            )
    has_own_data = any(_defines_data(content) for content in contents)
    base_name = DEFAULTS if has_own_data and not extended else EMBEDDED
    base_file = root / base_name
    return StudyFiles(
        root,
        base=(base_file, _content(base_file)),
        given=given,
        command_line=dict(command_line or {}),
    )


def read_defaults(root: Path) -> dict[str, Any]:
    """Read what a study of one's own starts from.

    Args:
        root: Folder of the checkout.

    Returns:
        The defaults; not to be changed.

    Raises:
        StockpotError: If the file cannot be read.
    """
    return _content(root / DEFAULTS)


def _content(file: Path) -> dict[str, Any]:
    config_file = read_config_file(file)
    if config_file.problems:
        raise StockpotError(*config_file.problems)
    return config_file.content


def _defines_data(content: dict[str, Any]) -> bool:
    """Does a file say where the images of some data set come from?"""
    datasets = content.get("datasets")
    if not isinstance(datasets, dict):
        return False
    # Not checked yet: an entry may be anything.
    entries = [entry for entry in datasets.values() if isinstance(entry, dict)]
    return any("source" in entry for entry in entries)


def _without_replaced(
    defaults: dict[str, Any],
    user_contents: list[dict[str, Any]],
) -> dict[str, Any]:
    """The defaults without the model, run and soups that a study's own take the place of."""
    result = dict(defaults)
    for content in user_contents:
        # Pretrained weights of another architecture would not fit.
        model = content.get("model")
        if isinstance(model, dict) and "architecture" in model:
            result["model"] = {"pretrain": defaults["model"]["pretrain"]}
        if "soups" in content:
            result["soups"] = {}
        finetune = content.get("finetune")
        lists_runs = isinstance(finetune, dict) and "runs" in finetune
        has_checkpoints = bool(content.get("checkpoints"))
        if has_checkpoints or lists_runs:
            result["finetune"] = {**defaults["finetune"], "runs": {}}
    return result


def _without_useless_soups(config: dict[str, Any]) -> dict[str, Any]:
    """The config with the default soups if there are several runs to mix, else with none."""
    # Not checked yet: every key may be missing or of another type.
    try:
        settings = config["finetune"]
        listed = []
        for run in settings["runs"].values():
            listed.append({**settings["defaults"], **run})
        checkpoints = config["checkpoints"].values()
        run_count = _end_to_end_count(listed, default="")
        run_count += _end_to_end_count(checkpoints, default="end-to-end")
        run_count += settings["search"]["runs"]
        if run_count > 1:
            return config
    except (AttributeError, KeyError, TypeError):
        # A part of the config has another form; its check says what is wrong.
        return config
    return {**config, "soups": {}}


def _end_to_end_count(
    entries: Iterable[dict[str, Any]],
    default: str,
) -> int:
    """How many entries are of end-to-end runs of the study's own task.

    Args:
        entries: Entries of runs or checkpoints; those of checkpoints have no task.
        default: The variant of those that name none.
    """
    count = 0
    for entry in entries:
        is_end_to_end = entry.get("variant", default) == "end-to-end"
        if is_end_to_end and not entry.get("task"):
            count += 1
    return count


def _with_sweeps(config: dict[str, Any]) -> dict[str, Any]:
    """The config with its sweeps: by default of listed runs, checkpoints and a greedy soup."""
    sweep = config.get("sweep")
    finetune = config.get("finetune")
    if not isinstance(sweep, dict) or not isinstance(finetune, dict):
        return config
    if "targets" in sweep:
        return config
    runs = finetune.get("runs")
    checkpoints = config.get("checkpoints")
    soups = config.get("soups")
    # Where a section has another form, the check of the config says so.
    for section in (runs, checkpoints, soups):
        if not isinstance(section, dict):
            return config
    targets = []
    for name, run in runs.items():
        if isinstance(run, dict) and not run.get("task"):
            targets.append(name)
    targets += checkpoints
    if "greedy" in soups:
        targets.append("greedy")
    new_sweep = {**sweep, "targets": targets}
    return {**config, "sweep": new_sweep}
