import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from snakemake.logging import logger

from stockpot import analyses, figures
from stockpot.config.check import check
from stockpot.config.paths import CHECKOUT as ROOT
from stockpot.config.paths import exists, not_found, unfit_inputs
from stockpot.config.read import read_study
from stockpot.datasets import sources
from stockpot.models import formats
from stockpot.planning import build as spec
from stockpot.planning import resources as needs
from stockpot.planning.compared import restore_compared
from stockpot.planning.data_roles import used
from stockpot.runtime.code_digest import code_digest, plain
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.escape import one_line
from stockpot.runtime.failures import failed_lines, jobs_left
from stockpot.runtime.gpus import has_gpu
from stockpot.runtime.registry import defaults
from stockpot.runtime.unshown import Unshown
from stockpot.tables.at_chance import said_in
from stockpot.training import variants

# A job on another node takes the plan of the run that submitted it, and looks at no data.
PLAN = Path("results/plan.json")
MOST_PROBLEMS = 20


def locate(path):
    """A file named in the config: below the working directory or beside the Snakefile."""
    here = Path(path)
    return here if here.is_absolute() or exists(here) else ROOT / path


def refuse(*problems):
    """End Snakemake with a line per problem, without a traceback of its own."""
    for problem in problems[:MOST_PROBLEMS]:
        print(f"error: {one_line(problem, 10_000)}", file=sys.stderr)
    if len(problems) > MOST_PROBLEMS:
        print(f"error: and {len(problems) - MOST_PROBLEMS:,} more", file=sys.stderr)
    sys.exit(1)


# In a locale without them, signs of other languages are written as their codes.
# Snakemake may be called by a program that has put another stream in the place of this one.
if hasattr(sys.stdout, "reconfigure"):
    sys.stdout.reconfigure(errors="backslashreplace")

HERE = str(workflow.current_basedir)
if "{" in HERE or "}" in HERE:
    refuse(f"{HERE}: Snakemake takes braces in its path for wildcards; move the checkout elsewhere")

if exists(PLAN.parent) and not PLAN.parent.is_dir():
    refuse(
        f"{PLAN.parent.absolute()}: must be a folder, for what a study makes; move the file away"
    )

try:
    # Read here and not by Snakemake, which would lay every study over config.yaml.
    if workflow.modifier.skip_configfile:  # a module of another workflow, which gives its config
        given = read_study(ROOT, [], config)
    else:
        files = list(map(Path, workflow.overwrite_configfiles))
        given = read_study(ROOT, files, workflow.config_settings.config)
    as_written = given.as_written()
    plan = None if workflow.is_main_process else spec.saved(PLAN, as_written)
    config = plan.config if plan else given.located()
    if plan is None:
        schema = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text("utf-8"))
        check(config, schema, given.paths)
        problems = not_found(config, used(config), given.layers, ROOT) + unfit_inputs(config)
        if problems:
            raise StockpotError(*problems)
        plan = spec.build(config, locate)
        plan.config = config
except StockpotError as error:
    refuse(*error.args)
except OSError as error:
    refuse(f"{error.filename}: {error.strerror}")

if workflow.is_main_process:
    logger.info("\n".join([f"Study {config['study']}", *map(one_line, plan.summary), ""]))

THREADS = config["threads"]
# Without a GPU none is asked for, so that jobs may run side by side; a profile knows of others.
PROFILE = workflow.resource_settings.overwrite_resources.get("finetune", {})
FOUND = PROFILE["gpu"].value if "gpu" in PROFILE else int(has_gpu())
GPUS = FOUND if config["gpus"] == "auto" else config["gpus"]
LIMITED = workflow.global_resources.get("gpu")
LIMIT = GPUS if LIMITED is None or LIMITED.value is None else LIMITED.value
if workflow.is_main_process and "gpu" in PROFILE and GPUS != FOUND:
    refuse(f"gpus: {GPUS}, but set-resources of the profile gives finetune gpu: {FOUND}")
if workflow.is_main_process and GPUS > LIMIT:
    refuse(f"gpus: {GPUS}, but --resources gpu={LIMIT}; give --resources gpu={GPUS}")
GPU = min(GPUS, 1)
MODEL = needs.model(plan.model["architecture"])


def failure(logs):
    """What to read after a run that failed. logs: of Snakemake."""
    lines = failed_lines(logs) or ["Not finished: interrupted, or see above"]
    return "\n".join(["", *lines, "What is done is kept; the same command goes on."])


def cancel_jobs_left(logs):
    """Cancel the jobs of this Snakemake that are still on the cluster. logs: of Snakemake.

    It cancels its jobs when it is stopped, but misses those whose state it is asking for in that
    moment.
    """
    if workflow.is_main_process and workflow.non_local_exec and shutil.which("scancel"):
        for number in jobs_left(logs):
            subprocess.run(["scancel", number], check=False)


def one_of(names):
    """A wildcard constraint; nothing matches where there are no names."""
    return "|".join(names) or "(?!)"


def gpus_of(run):
    """Of a variant that cannot use several, one."""
    return GPUS if variants.shared(plan.runs[run]["spec"]["variant"]) else GPU


def images_in(*ids):
    return sum(plan.counts.get(plan.datasets[id]["spec"]["name"], 10_000) for id in ids)


def for_training(w):
    run = plan.runs[w.run]
    sets = [run["train"], *run["joint"]]
    found = needs.training(MODEL, run["spec"], images_in(*sets), THREADS, gpus_of(w.run))
    if not run["joint"]:
        return found
    # Two training sets at once are held in memory, one is read from its file.
    side = plan.model["transform"]["side"]
    sides = {id: plan.datasets[id]["spec"].get("side", side) for id in sets}
    held = sum(images_in(id) * 3 * sides[id] ** 2 for id in sets)
    return found._replace(mb=found.mb + (2 * held >> 20))


def for_evaluating(w):
    family = plan.families[w.family]
    recipes = len(family["spec"]["members"]) * max(len(family["spec"]["alphas"]), 1)
    return needs.evaluating(MODEL, recipes, images_in(*family["tests"]), THREADS, GPU)


def for_merging(w):
    """Some selections evaluate every prefix of the ingredients, others step through the data."""
    soup = plan.soups[w.soup]
    recipes = 5 * (len(soup["ingredients"]) + 5)
    return needs.evaluating(MODEL, recipes, images_in(soup["held_out"]), THREADS, GPU)


def for_mixing(w):
    """Analyses look at some dozens of mixes, of pairs and triples at the most."""
    runs = len(subjects(w.study, w.analysis))
    images = images_in(*data_sets(w.study, *mixed_roles(w.analysis)))
    return needs.evaluating(MODEL, 30 * (runs + 1), images, THREADS, GPU)


def for_preparing(w, threads):
    return needs.preparing(images_in(w.dataset), threads)


def plugin(folder, name):
    return f"stockpot/{folder}/{name.replace('-', '_')}.py"


def dataset_files(*ids):
    """Data sets: their cards count by content, the arrays beside them only by being there."""
    arrays = [f"<results>/datasets/{id}/images.npy" for id in ids]
    return {
        "data": [f"<results>/datasets/{id}/dataset.json" for id in ids],
        "arrays": [ancient(path) for path in arrays],
    }


# One name for all studies: a job's own inputs stay the same when others are added.
COMPARED = "<results>/compared"
if workflow.is_main_process:
    restore_compared(PLAN.parent)
# These train before all data sets are there, as they help to make one.
ADVERSARIES = {job["adversary"] for job in plan.datasets.values() if "adversary" in job}


def compared(run=None):
    """A file that is there when the data sets have been compared; its date and content say nothing."""
    return [] if run in ADVERSARIES else [ancient(COMPARED)]


def is_encoded(dataset):
    return sources.encoded(plan.datasets[dataset]["spec"]["source"])


def classifier_files(*ids):
    """Classifiers: their cards, with the digests of the weights, count by content."""
    return {
        "cards": [f"<results>/classifiers/{id}/classifier.json" for id in ids],
        "weights": [ancient(f"<results>/classifiers/{id}/classifier.safetensors") for id in ids],
    }


def model_files():
    """The model's config, its vocabulary where it has one, its weights, given or made here."""
    files, id = plan.model["files"], plan.model["id"]
    words = {name: file for name, file in files.items() if name == "vocabulary"}
    if plan.model["import"]:
        folder = f"<results>/imported/{id}"
        config = files.get("config", f"{folder}/open_clip_config.json")
        return {"config": config, "weights": f"{folder}/open_clip_model.safetensors"} | words
    made = f"<results>/models/{id}/open_clip_model.safetensors"
    return {"weights": made} | files


def class_texts(study):
    """Class -> what prompts call it; a model without a text side has no prompts."""
    first = plan.zero_shots[plan.studies[study]["first"]]["spec"]
    return first.get("texts", {})


def prefixed(prefix, files):
    return {f"{prefix}_{name}": file for name, file in files.items()}


def averages_of(soup):
    """Files of averages along the runs that a soup takes, if it takes them."""
    ids = plan.soups[soup]["ingredients"] if plan.soups[soup]["averages"] else []
    return [f"<results>/classifiers/{id}/averages.safetensors" for id in ids]


def training_of(soup):
    """The training set, for merges that look at it."""
    return [plan.soups[soup]["train"]] if plan.soups[soup]["reads_training"] else []


def classifiers_of(soup):
    """Ids of what a soup's recipe may name: the start, then the ingredients."""
    return [plan.soups[soup]["start"], *plan.soups[soup]["ingredients"]]


def members(family):
    return plan.families[family]["spec"]["members"]


def ingredients(family):
    """Ids of all classifiers that the recipes of a family may name."""
    ids = list(plan.families[family]["start"])
    for member in members(family):
        end = member["end"]
        ids += classifiers_of(end) if is_recipe(end) else [end]
    return list(dict.fromkeys(ids))


def is_recipe(end):
    """Is this model a recipe over other models, and not a Classifier of its own?"""
    return end in plan.soups and not plan.soups[end]["merge"]


def exports_as(form):
    """Names of the exports in a format."""
    return [name for name, entry in config["exports"].items() if entry["format"] == form]


def written_as(form):
    """Names of the files of a format; the model's own vocabulary is among open_clip's."""
    words = [Path(file).name for name, file in plan.model["files"].items() if name == "vocabulary"]
    return formats.files(form) + (words if form == "open-clip" else [])


def exported(w):
    return plan.studies[w.study]["exports"][w.export]


def classifiers_behind(w):
    """Ids of the zero-shot model and of all that an exported model is made of, itself the last."""
    end = exported(w)["end"]
    own = classifiers_of(end) if is_recipe(end) else [end]
    return list(dict.fromkeys([plan.studies[w.study]["start"], *own]))


def recipe_behind(w):
    end = exported(w)["end"]
    return [f"<results>/recipes/{end}.json"] if is_recipe(end) else []


def recipes(family):
    ends = [member["end"] for member in members(family)]
    return [f"<results>/recipes/{end}.json" for end in ends if is_recipe(end)]


# Id of a model -> the families that evaluate it by itself.
EVALUATED = {}
for family in plan.families:
    for member in members(family) if not plan.families[family]["start"] else []:
        EVALUATED.setdefault(member["end"], []).append(family)


def evaluated(ids):
    """Evaluations of these models, so that what follows finds their cells in the store."""
    families = dict.fromkeys(family for id in ids for family in EVALUATED.get(id, []))
    return [f"<results>/evaluations/{family}.json" for family in families]


def shared(family):
    """Evaluations that a family shares cells with: a sweep its ends, a soup its ingredients."""
    ends = [member["end"] for member in members(family)]
    if plan.families[family]["start"]:
        return evaluated([*plan.families[family]["start"], *ends])
    return evaluated([id for id in ingredients(family) if id not in ends])
