"""Every way to choose alpha, over the sweeps of all studies and over the published curves."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from stockpot import figures
from stockpot.alpha.selectors import compare_selectors, label, names
from stockpot.drawing.style import save
from stockpot.tables.display import to_markdown
from stockpot.tables.measurements import read_table, write_table

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"
HELD_OUT = 26_000  # 2 % of ImageNet's training set, as the soups' paper holds out
# Of `make evidence`; the other tasks were evaluated after the rules were written down.
STUDIES = {
    "objects": ["objects", "evidence"],
    "other tasks": ["digits", "textures", "colours"],
}
TEXT = """# Choosing alpha

Made by `make evidence`: {sweeps} sweeps of the embedded studies (the objects study with three seeds
and with few shots; digits, textures and colours), and the four curves of 21 alphas that WiSE-FT
publishes. On these the reference stands for the held-out set, as no other number is known, so that
rules which look at held-out data see what they are scored with. Regret: points that the chosen
alpha misses of the best alpha of the same sweep, under shift and on the mean of reference and
shifts; its mean, and the worst of all sweeps. Rules that need more than accuracies cannot be
replayed on the published curves.

The one-point rule is the default of `alpha: auto`, of the main table and of the analysis of few
shots: of the rules that read the held-out set alone it misses least on both. It was added after a
first look at the objects study and at the published curves, and before the other tasks were
evaluated.

{table}
![Every way to choose alpha](choosing-alpha.png)

"""
COLUMNS = {"alpha": "alpha", "shift": "regret_shifts", "both": "regret_both"}


def main(folder: Path, out: Path) -> None:
    """folder: results/studies; out: where choosing-alpha.csv, .md, .png and .pdf go."""
    tables = {
        f"{study}/{path.parents[1].name}": read_table(path)
        for studies in STUDIES.values()
        for study in studies
        for path in sorted((folder / study).glob("seed*/analyses/choosing-alpha.csv"))
    }
    if not tables:
        sys.exit(
            f"{folder} has no results of the embedded studies; `make evidence` makes them"
        )
    own = pd.concat(
        [t.assign(curve=f"{study} " + t["curve"]) for study, t in tables.items()]
    )
    # Studies share sweeps: the same sweep of the same seed counts once.
    numbers = ["selector", "alpha", "reference", "shifts"]
    sweeps = own.groupby("curve").apply(
        lambda t: tuple(map(tuple, t[numbers].to_numpy()))
    )
    own = own[own["curve"].isin(sweeps.drop_duplicates().index)]
    replayed = pd.concat(
        [
            compare_selectors(published(p)).assign(curve=p.stem)
            for p in sorted(PUBLISHED.glob("*.csv"))
        ]
    )
    groups = {
        name: own[own["curve"].str.split("/").str[0].isin(studies)]
        for name, studies in STUDIES.items()
    } | {"published": replayed}
    rows = [
        row(
            label(selector),
            {name: t[t["selector"] == selector] for name, t in groups.items()},
        )
        for selector in names()
    ]
    text = TEXT.format(
        sweeps=own["curve"].nunique(),
        table=to_markdown(pd.DataFrame(rows)),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "choosing-alpha.md").write_text(text)
    write_table(own, out / "choosing-alpha.csv", "%.6g")
    drawn, _ = figures.load("choosing-alpha")({"table": own}, {})
    for suffix in ("png", "pdf"):
        save(drawn, out / f"choosing-alpha.{suffix}")


def published(path: Path) -> pd.DataFrame:
    """One published curve as selectors read it."""
    table = pd.read_csv(path)
    columns = {"held_out": "IN", "reference": "IN", "shifts": "avg_shifts"}
    curve = pd.DataFrame(
        {name: table[column] / 100 for name, column in columns.items()}
    )
    return curve.assign(alpha=table["alpha"], n=HELD_OUT)


def row(label: str, groups: dict[str, pd.DataFrame]) -> dict[str, str]:
    """A selector's alphas and regrets on every group of sweeps."""
    found = {"selector": label}
    for name, table in groups.items():
        for what, column in COLUMNS.items():
            values = table[column] if what == "alpha" else 100 * table[column]
            text = f"{values.mean():.2f}, worst {values.max():.1f}"
            if what == "alpha":
                text = f"{values.mean():.2f} ({values.min():g} to {values.max():g})"
            title = "alpha" if what == "alpha" else f"regret, {what}"
            found[f"{name}: {title}"] = "" if values.empty else text
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
