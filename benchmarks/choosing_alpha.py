"""Every way to choose alpha, over the sweeps of all studies and over the published curves."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

from stockpot import figures
from stockpot.figures.style import save
from stockpot.statistics.export import to_markdown
from stockpot.statistics.selectors import SELECTORS, compared
from stockpot.statistics.tables import read_table

PUBLISHED = Path(__file__).parents[1] / "resources" / "published"
COLUMNS = {"alpha": "alpha", "shift": "regret_shifts", "both": "regret_both"}
HELD_OUT = 26_000  # 2 % of ImageNet's training set, as the soups' paper holds out
TEXT = """# Choosing alpha

Made by `make evidence`. {sweeps} sweeps of {studies} embedded studies (tasks and seeds), and the
four curves of 21 alphas that WiSE-FT publishes (there the reference stands for the held-out set, as
no other number is known). Regret: points that the chosen alpha misses of the best alpha of the same
sweep, under shift and on the mean of reference and shifts; its mean, and the worst of all sweeps.
Rules that need more than accuracies cannot be replayed on the published curves.

{table}
![Every way to choose alpha](choosing-alpha.png)

"""


def main(folder: Path, out: Path) -> None:
    """folder: results/studies; out: where choosing-alpha.csv, .md, .png and .pdf go."""
    files = sorted(folder.glob("*/seed*/analyses/choosing-alpha.csv"))
    tables = [(path.parents[1].relative_to(folder), read_table(path)) for path in files]
    own = pd.concat(
        [t.assign(curve=f"{study} " + t["curve"]) for study, t in tables if "alpha" in t]
    )
    # Studies share sweeps: the same sweep of the same seed counts once.
    numbers = ["selector", "alpha", "reference", "shifts"]
    sweeps = own.groupby("curve").apply(lambda t: tuple(map(tuple, t[numbers].to_numpy())))
    own = own[own["curve"].isin(sweeps.drop_duplicates().index)]
    replayed = pd.concat([compared(published(p)).assign(curve=p.stem)
                          for p in sorted(PUBLISHED.glob("*.csv"))])  # fmt: skip
    rows = [row(label, own[own["label"] == label], replayed[replayed["label"] == label])
            for _, _, label in SELECTORS.values()]  # fmt: skip
    text = TEXT.format(
        sweeps=own["curve"].nunique(),
        studies=len({curve.split(" ")[0] for curve in own["curve"]}),
        table=to_markdown(pd.DataFrame(rows)),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "choosing-alpha.md").write_text(text)
    own.to_csv(out / "choosing-alpha.csv", index=False, float_format="%.6g", lineterminator="\n")
    drawn, _ = figures.load("choosing-alpha")({"table": own}, {})
    for suffix in ("png", "pdf"):
        save(drawn, out / f"choosing-alpha.{suffix}")


def published(path: Path) -> pd.DataFrame:
    """One published curve as selectors read it."""
    table = pd.read_csv(path)
    columns = {"held_out": "IN", "reference": "IN", "shifts": "avg_shifts"}
    curve = pd.DataFrame({name: table[column] / 100 for name, column in columns.items()})
    return curve.assign(alpha=table["alpha"], n=HELD_OUT)


def row(label: str, own: pd.DataFrame, replayed: pd.DataFrame) -> dict[str, str]:
    found = {"selector": label}
    for name, table in (("embedded", own), ("published", replayed)):
        for what, column in (
            ("alpha", "alpha"),
            ("shift", "regret_shifts"),
            ("both", "regret_both"),
        ):
            factor = 1 if what == "alpha" else 100
            values = factor * table[column]
            title = f"{name}: {'alpha' if what == 'alpha' else f'regret, {what}'}"
            if values.empty:
                found[title] = ""
            elif what == "alpha":
                found[title] = f"{values.mean():.2f} ({values.min():g} to {values.max():g})"
            else:
                found[title] = f"{values.mean():.2f}, worst {values.max():.1f}"
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
