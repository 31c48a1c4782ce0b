"""What takes long begins first."""

LONG = ("cluster", "workflow")


def pytest_collection_modifyitems(config, items):
    """Deal whole studies to the workers: each begins with its part of the list.

    Those on the cluster go to the first, which mostly waits. Who has nothing left to do takes
    tests from the ends of the others' parts.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    folder = {item: item.path.parent.name for item in items}
    files = sorted({item.path for item in items if folder[item] == "workflow"})
    worker = {path: 1 + i % max(workers - 1, 1) for i, path in enumerate(files)}
    parts = [[item for item in items if folder[item] == "cluster"]]
    parts += [
        [i for i in items if worker.get(i.path) == n] for n in range(1, max(workers, 2))
    ]
    short = [item for item in items if folder[item] not in LONG]
    size = len(items) // workers
    for part in parts:
        missing = max(size - len(part), 0)
        part += short[:missing]
        short = short[missing:]
    items[:] = [item for part in [*parts, short] for item in part]
