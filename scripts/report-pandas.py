#!/usr/bin/env python3
"""Draws the figures of a report by pandas and matplotlib. Usage: scripts/report-pandas.py RUN_DIR OUT_DIR

What `cargo bench --bench scale -- --against` times: the same figures from the same files, with the same medians and order
statistics, as such a script is usually written. Figures are images, for one with a million marks in SVG takes longer still.
"""
import sys
import tomllib
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

COLUMNS = {
    "block": "int32", "warmup": "bool", "topology": "category", "attempt": "int32", "worker": "int32", "job": "int32",
    "edit": "category", "step": "category", "op": "category", "elapsed_ns": "float64", "status": "category",
    "bytes_pulled": "float64", "disk_bytes": "float64",
}
TRIAL = ["topology", "block"]


def interval(values):
    """The median with its interval of 95 % by order statistics."""
    values = np.sort(values)
    n = len(values)
    reach = int(np.floor((n - 1.96 * np.sqrt(n)) / 2))
    low = max(reach, 0)
    return np.median(values), values[low], values[n - 1 - low]


def strip(axes, rows, column, along, arms):
    """Every point, with median and interval by column."""
    places = sorted(rows[along].unique())
    for number, arm in enumerate(arms):
        ours = rows[rows.topology == arm]
        for place, key in enumerate(places):
            values = ours.loc[ours[along] == key, column].dropna().to_numpy()
            if len(values) == 0:
                continue
            x = place + 0.8 * (number - len(arms) / 2) / len(arms)
            jitter = np.random.default_rng(0).uniform(-0.08, 0.08, len(values))
            axes.scatter(x + jitter, values, s=2, color=f"C{number}", alpha=0.3)
            middle, low, high = interval(values)
            axes.hlines(middle, x - 0.1, x + 0.1, color="black")
            axes.fill_between([x - 0.1, x + 0.1], low, high, color=f"C{number}", alpha=0.3)
    axes.set_xticks(range(len(places)), [str(place) for place in places])


def main(run, out):
    out.mkdir(parents=True, exist_ok=True)
    with open(run / "run.toml", "rb") as file:
        record = tomllib.load(file)
    arms, baseline = [arm["name"] for arm in record["arms"]], record["baseline"]
    rows = pd.read_csv(run / "samples.csv", usecols=list(COLUMNS), dtype=COLUMNS)
    rows = rows[~rows.warmup & (rows.status == "ok")]
    keys = [*TRIAL, "attempt", "worker", "job", "edit"]
    jobs = rows.groupby(keys, observed=True).agg(
        elapsed_ns=("elapsed_ns", "sum"), bytes_pulled=("bytes_pulled", "sum"), disk_bytes=("disk_bytes", "last")
    ).reset_index()

    def figure(name, draw):
        drawing, axes = plt.subplots(figsize=(9, 5))
        draw(axes)
        drawing.savefig(out / f"{name}.png")
        plt.close(drawing)

    def ratios(axes):
        names = []
        for edit in jobs.edit.unique():
            times = jobs[jobs.edit == edit].pivot_table("elapsed_ns", "block", "topology", "mean", observed=True)
            for arm in arms:
                if arm != baseline and arm in times:
                    point, low, high = interval((times[arm] / times[baseline]).dropna().to_numpy())
                    axes.errorbar(point, len(names), xerr=[[point - low], [high - point]], fmt="o")
                    names.append(f"{arm}, {edit}")
        axes.set_yticks(range(len(names)), names)
        axes.set_xscale("log")

    def cumulative(axes):
        for arm in arms:
            times = jobs[jobs.topology == arm].pivot_table("elapsed_ns", "block", "job", "mean", observed=True)
            times.cumsum(axis=1).median().plot(ax=axes, label=arm)

    def bars(column):
        return lambda axes: jobs.pivot_table(column, "job", "topology", "median", observed=True).plot.bar(ax=axes)

    def disk(axes):
        strip(axes, jobs, "disk_bytes", "job", arms)

    def ledger(axes):
        builds = pd.read_csv(run / "instructions.csv", usecols=["topology", "job", "index", "cached"],
                             dtype={"topology": "category"})
        shares = builds.pivot_table("cached", ["topology", "index"], "job", "mean", observed=True)
        axes.imshow(shares.to_numpy(), aspect="auto", vmin=0, vmax=1)

    def waterfall(axes):
        first = rows[rows.job == 1].pivot_table("elapsed_ns", "topology", "step", "median", observed=True)
        first.plot.barh(ax=axes, stacked=True)

    def distribution(axes):
        for arm in arms:
            times = np.sort(jobs.loc[(jobs.topology == arm) & (jobs.edit == "none"), "elapsed_ns"].to_numpy())
            axes.step(times, np.arange(1, len(times) + 1) / len(times))

    def blocks(axes):
        jobs.pivot_table("elapsed_ns", "block", "topology", "mean", observed=True).plot(ax=axes, style=".")

    figure("elapsed", lambda axes: strip(axes, jobs, "elapsed_ns", "job", arms))
    figure("ratios", ratios)
    figure("cumulative", cumulative)
    figure("ledger", ledger)
    figure("pulled", bars("bytes_pulled"))
    figure("disk", disk)
    figure("start", lambda axes: strip(axes, rows[rows.op == "start"], "elapsed_ns", "edit", arms))
    figure("waterfall", waterfall)
    figure("distribution", distribution)
    figure("blocks", blocks)
    table = rows.groupby(["step", "edit", "topology"], observed=True).elapsed_ns
    table.describe().to_csv(out / "summary.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
