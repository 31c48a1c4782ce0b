"""From the config files of a study to one config.

A study that defines data sets of its own starts from the documented defaults alone, one that does
not varies the embedded study. Files given later say more; maps are merged key by key.
"""

from dataclasses import dataclass
from pathlib import Path

from ..runtime.errors import StockpotError
from .overlays import merged, without_leftovers, without_nulls
from .paths import beside
from .training_runs import named_space
from .yaml_file import read_config_file

EMBEDDED = Path("config.yaml")
DEFAULTS = Path("schemas/defaults.yaml")
SPACES = Path("resources/search_spaces")


@dataclass
class StudyFiles:
    """What the files of a study say, and what they stand on.

    Attributes:
        root: Folder of the checkout.
        base: (file, content) of the defaults or the embedded study.
        given: (file, content) of the user's files, later ones on top.
        command_line: What --config says, on top of all; or what a workflow that uses this one as a
            module gives as its config.
    """

    root: Path
    base: tuple[Path, dict]
    given: list[tuple[Path, dict]]
    command_line: dict

    @property
    def paths(self) -> list[Path]:
        return [file for file, _ in self.layers]

    @property
    def layers(self) -> list[tuple[Path, dict]]:
        return [self.base, *self.given]

    def as_written(self) -> dict:
        """The config with its paths as the files give them: it depends on the files alone."""
        return self._config([content for _, content in self.layers])

    def located(self) -> dict:
        """The config with paths that stand beside their file as seen from the working directory."""
        return self._config([beside(content, file) for file, content in self.layers])

    def _config(self, contents: list[dict]) -> dict:
        config, *given = contents
        given.append(self.command_line)
        defaults = _without_replaced(read_defaults(self.root), given)
        if self.base[0].name == DEFAULTS.name:
            config = _without_replaced(config, given)
        for content in given:
            config = without_leftovers(merged(config, content), config)
        config.pop("extends", None)
        config = without_nulls(config, defaults)
        if self.base[0].name == DEFAULTS.name and not any(
            "soups" in content for content in given
        ):
            config = _with_soups(config)
        return named_space(_with_sweeps(config), self.root / SPACES)


def read_study(
    root: Path, files: list[Path], command_line: dict | None = None
) -> StudyFiles:
    """Read the files of a study.

    Args:
        root: Folder of the checkout.
        files: The user's config files, later ones on top.
        command_line: Settings of the command line.

    Raises:
        StockpotError: A file cannot be read, with a line per mistake.
    """
    given = [(file, _content(file)) for file in files]
    contents = [*(content for _, content in given), command_line or {}]
    wanted = [content["extends"] for content in contents if "extends" in content]
    for name in wanted:
        if name != EMBEDDED.name:
            raise StockpotError(
                f"extends: {name!r} is not {EMBEDDED.name}; files of your own are laid over each "
                "other by --configfile one.yaml two.yaml"
            )
    own = not wanted and any(map(_defines_data, contents))
    if own:
        base = (root / DEFAULTS, read_defaults(root))
    else:
        base = (root / EMBEDDED, _content(root / EMBEDDED))
    return StudyFiles(root, base, given, dict(command_line or {}))


def read_defaults(root: Path) -> dict:
    """What a study of one's own starts from."""
    return _content(root / DEFAULTS)


def _content(file: Path) -> dict:
    read = read_config_file(file)
    if read.problems:
        raise StockpotError(*read.problems)
    return read.content


def _defines_data(content: dict) -> bool:
    """Does a file say where the images of some data set come from?"""
    datasets = content.get("datasets")
    if not isinstance(datasets, dict):
        return False
    return any(
        isinstance(entry, dict) and "source" in entry for entry in datasets.values()
    )


def _without_replaced(defaults: dict, given: list[dict]) -> dict:
    """The defaults without the model, run and soups that a study's own take the place of."""
    result = dict(defaults)
    for content in given:
        model, finetune = content.get("model"), content.get("finetune")
        if isinstance(model, dict) and "architecture" in model:
            result["model"] = {"pretrain": defaults["model"]["pretrain"]}
        if "soups" in content:
            result["soups"] = {}
        if content.get("checkpoints") or (
            isinstance(finetune, dict) and "runs" in finetune
        ):
            result["finetune"] = {**defaults["finetune"], "runs": {}}
    return result


def _with_soups(config: dict) -> dict:
    """The config with the default soups where there are several runs to mix, else with none."""
    try:
        settings = config["finetune"]
        runs = [{**settings["defaults"], **run} for run in settings["runs"].values()]
        own = [
            run
            for run in runs
            if run.get("variant") == "end-to-end" and not run.get("task")
        ]
        checkpoints = config["checkpoints"].values()
        tuned = [
            entry
            for entry in checkpoints
            if entry.get("variant", "end-to-end") == "end-to-end"
        ]
        several = len(own) + len(tuned) + settings["search"]["runs"] > 1
    except (AttributeError, KeyError, TypeError):
        return config  # the check of the config says what is wrong
    return config if several else {**config, "soups": {}}


def _with_sweeps(config: dict) -> dict:
    """The config with its sweeps; by itself of listed runs, checkpoints and a greedy soup."""
    sweep, finetune = config.get("sweep"), config.get("finetune")
    if not isinstance(sweep, dict) or "of" in sweep or not isinstance(finetune, dict):
        return config
    runs, checkpoints, soups = (
        finetune.get("runs"),
        config.get("checkpoints"),
        config.get("soups"),
    )
    if not all(isinstance(section, dict) for section in (runs, checkpoints, soups)):
        return config
    own = [
        name
        for name, run in runs.items()
        if isinstance(run, dict) and not run.get("task")
    ]
    greedy = ["greedy"] if "greedy" in soups else []
    return {**config, "sweep": {**sweep, "of": [*own, *checkpoints, *greedy]}}
