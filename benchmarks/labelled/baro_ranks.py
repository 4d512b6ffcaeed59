"""Ranks metrics with RCAEval's BARO, in an environment of its own: `baselines` starts it.

Reads cases as JSON lines from standard input: case, start (epoch s), times, columns (service and
values, null: no sample); writes for each {case, ranked}: services, best column first. Imports
nothing of ours; of rcaeval only the method's own file, whose package would import every other
method's dependencies.
"""

import importlib.util
import json
import sys
from pathlib import Path

import pandas as pd


def load_baro():
    root = Path(importlib.util.find_spec("RCAEval").origin).parent
    spec = importlib.util.spec_from_file_location("baro_alone", root / "e2e" / "baro.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.baro


def main() -> None:
    baro = load_baro()
    for line in sys.stdin:
        case = json.loads(line)
        names = {f"c{n}": service for n, (service, _) in enumerate(case["columns"])}
        table = {"time": case["times"]}
        table |= {f"c{n}": values for n, (_, values) in enumerate(case["columns"])}
        frame = pd.DataFrame(table).astype(float).ffill().bfill().fillna(0.0)
        ranked: list[str] = []
        if (frame["time"] < case["start"]).sum() > 1 and (frame["time"] >= case["start"]).any():
            found = baro(frame, inject_time=case["start"], dataset="any")
            ranked = list(dict.fromkeys(names[column] for column in found["ranks"]))
        print(json.dumps({"case": case["case"], "ranked": ranked}), flush=True)


if __name__ == "__main__":
    main()
