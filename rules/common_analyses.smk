# Name of a figure -> its module, and the entry of the analyses that it draws.
FIGURES = {name: (name, "") for name in config["figures"] if not figures.draws(name)}
for entry in config["analyses"]:
    drawn = [n for n in figures.names() if figures.draws(n) == analyses.kind(config, entry)]
    for name in drawn:
        own = name if analyses.kind(config, entry) == entry else f"{entry}-{name}"
        FIGURES[own if len(drawn) > 1 or name == own else entry] = (name, entry)


# Of the overview page: analyses that it shows, and what stands above each table.
OVERVIEW = [name for name in ("choosing-alpha", "diagnosis") if name in config["analyses"]]
HEADS = {
    "overview": "## Every model\n\nRows that are called oracle are chosen on the test sets, and are "
    "never bold.",
    "choosing-alpha": "## Which alpha?\n\nOver all sweeps: the alphas that each rule chooses, mean "
    "accuracies in percent, and regret, the points that it misses of the best alpha of the same "
    "sweep: under shift, and on the mean of reference and shifts.",
    "diagnosis": "## Would these runs make a good soup?\n\nOf the end-to-end runs, or of the soup that "
    "analyses.diagnosis names; all on the held-out set.",
}
MAIN_FIGURES = [name for name in ("effective-robustness",) if name in FIGURES]


def figures_of(entry):
    """Names of the figures that draw one entry of the analyses."""
    return [name for name, (_, drawn) in FIGURES.items() if drawn == entry]


def figure_options(figure):
    name, _ = FIGURES[figure]
    return defaults(figures.options(name)) | config["figures"].get(name, {})


def analysis_kind(entry):
    return analyses.kind(config, entry)


def analysis_options(entry):
    given = {k: v for k, v in config["analyses"][entry].items() if k != "analysis"}
    return defaults(analyses.options(analysis_kind(entry))) | given


def data_sets(study, *roles):
    """Ids of the data sets that play these parts in a study."""
    return [id for role in roles for id in plan.studies[study]["sets"][role]]


def evidence(w):
    """What an analysis reads beside tables and predictions."""
    study, needs = plan.studies[w.study], analyses.needs(analysis_kind(w.analysis))
    found = {}
    if analyses.evaluates(analysis_kind(w.analysis)):
        found["mixes"] = f"<results>/studies/{w.study}/mixes/{w.analysis}.json"
    if "geometry" in needs:
        found["geometry"] = f"<results>/studies/{w.study}/geometry.csv"
    if "recipes" in needs:
        found["recipes"] = recipe_files(study).values()
    return found


def recipe_files(study):
    return {n: f"<results>/recipes/{id}.json" for n, id in study["soups"].items() if is_recipe(id)}


def mixed_roles(entry):
    """Parts of the data that the mixes of an analysis are found or evaluated on."""
    return ["held-out", *analyses.evaluates(analysis_kind(entry))]


def figure_tables(w):
    """The tables that a figure draws: of its analysis with the measurements, or the study's."""
    folder = f"<results>/studies/{w.study}"
    if entry := FIGURES[w.figure][1]:
        table = f"{folder}/analyses/{entry}.csv"
        return {"table": table, "measurements": f"{folder}/measurements.csv"}
    names = {"measurements": "measurements", "fits": "fits", "rho": "robustness"}
    return {name: f"{folder}/{file}.csv" for name, file in names.items()}


def figure_caption(figure):
    """How to read it, with the level, the axis and the numbers of images of this study."""
    sizes = ", ".join(
        f"{name} {n:,}" + (f" ({plan.class_notes[name]})" if name in plan.class_notes else "")
        for name, n in plan.sizes.items()
    )
    level = f"{100 * config['statistics']['confidence']:g} %"
    name, axis = FIGURES[figure][0], config["statistics"]["axis"]
    line = bool(config["standard"]["models"] or plan.cloud)
    shifts = config["data"]["shifts"]
    return figures.caption(name, level, axis, sizes, figure_options(figure), shifts, line)


def cloud_table(w):
    """The file of published models, if the config names one."""
    return {"cloud": plan.cloud["path"]} if plan.cloud else {}


def subjects(study, name):
    """Ids of the runs whose mixes an analysis looks at: those it names, or all end-to-end."""
    runs, options = plan.studies[study]["runs"], analysis_options(name)
    soup = plan.studies[study]["models"].get(options.get("soup"), {})
    wanted = options.get("models") or soup.get("ingredients") or list(runs)
    return [runs[run] for run in wanted if run in runs]
