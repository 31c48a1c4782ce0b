"""SUN397 (Xiao et al., 2010), in ten partitions: the archive with Partitions.zip beside it."""

from ._published import Published, column, named, read_lines

OPTIONS = {
    "part": {"enum": ["train", "test"]},
    "partition": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
    "path": {
        "description": "folder of the two unpacked archives",
        "type": "string",
        "default": "data/sun397",
    },
}
ENCODED = True
SEEDED = False

SET = Published(
    column("sun397"),
    named("sun397"),
    lambda entry: [50] * 397,
    watched=("T*ing_{partition:02}.txt|Partitions/T*ing_{partition:02}.txt", "SUN397/*/"),
    part=("partition", "part"),
)
classes, texts, counts = SET.classes, SET.texts, SET.counts
identity, facts = SET.identity, SET.facts


def prepare(spec):
    root = SET.root(spec["path"])
    name = f"{spec['part'].title()}ing_{spec['partition']:02}.txt"
    own = root / "Partitions" / name
    lines = read_lines(own if own.is_file() else root / name)
    rows = [(line.lstrip("/"), line.rpartition("/")[0]) for line in lines]
    return SET.listed(root / "SUN397", rows)
