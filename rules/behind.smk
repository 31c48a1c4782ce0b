def behind():
    """Files that tell of each thing which the results follow from.

    Snakemake asks for no file behind a result that is newer than its inputs; yet a job that fails
    while it renews such a file takes the old one away, and the result, now stale, would stay. So
    all of them are asked for. Weights and images are not, and may be deleted.
    """
    studies = plan.studies.values()
    data = {
        id for run in plan.runs.values() for id in (run["train"], run["held_out"], *run["joint"])
    }
    data |= {id for soup in plan.soups for id in training_of(soup)}
    data |= {id for study in studies for id in study["held_out"]}
    data |= {
        id
        for study in studies
        for role in study["sets"]
        for id in study["sets"][role]
        if role != "train"
    }
    data |= {plan.datasets[id].get("pool", plan.datasets[id].get("of", id)) for id in data}
    classifiers = [*plan.zero_shots, *plan.runs, *plan.checkpoints, *MERGES]
    mixed = [name for name in config["analyses"] if analyses.evaluates(analysis_kind(name))]
    needed = [need for name in config["analyses"] for need in analyses.needs(analysis_kind(name))]
    return [
        *(file for name, file in model_files().items() if name == "weights"),
        *expand("<results>/downloads/{id}.json", id=plan.downloads),
        *expand("<results>/datasets/{id}/dataset.json", id=sorted(data)),
        *expand("<results>/classifiers/{id}/classifier.json", id=classifiers),
        *expand("<results>/recipes/{id}.json", id=RECIPES),
        *expand("<results>/evaluations/{id}.json", id=plan.families),
        *expand("<results>/studies/{study}/mixes/{name}.json", study=plan.studies, name=mixed),
        *expand(
            "<results>/studies/{study}/{table}.csv",
            study=plan.studies,
            table=["overlap", "shared-images"],
        ),
        *expand(
            "<results>/studies/{study}/geometry.csv",
            study=plan.studies if "geometry" in needed else [],
        ),
    ]
