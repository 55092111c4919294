"""The report's section on layers comes from the log alone."""

import json
from pathlib import Path

from pellucid.report.blocks import Figure, Table
from pellucid.runs.checking.layers import layers_section
from pellucid.training.health.monitor.snapshot import Activation, Snapshot, Weight


def write(folder: Path, *looks: Snapshot) -> None:
    lines = [json.dumps({"kind": "layers", "epoch": 0, **look.as_record()}) + "\n" for look in looks]
    (folder / "layers.jsonl").write_text("".join(lines))


def test_tables_are_of_the_last_look(tmp_path: Path) -> None:
    layers = {
        "relu": Activation(0.4, 0.6, 0.6, 0.25, 0.0, None, "relu", "fc.weight"),
        "tanh": Activation(0.0, 0.8, 0.8, None, None, 0.5, "tanh", "fc.weight"),
    }
    weights = {"fc.weight": Weight(0.1, 0.01, 0.002), "head.weight": Weight(0.0, 0.01, 0.0)}
    write(
        tmp_path,
        Snapshot(0, 0.1, 0.0, 1.0, {"relu": layers["relu"]}, weights),
        Snapshot(8, 0.1, 0.1, 0.9, layers, weights),
    )
    (section,) = layers_section(tmp_path)
    assert section.title == "Layers"
    assert "Measured at 2 steps" in section.lead
    assert "step 8" in section.lead
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [tuple(row) for row in tables[0].rows] == [
        ("input", "", "0.100000", "0.900000", "", ""),
        ("relu", "relu", "0.400000", "0.600000", "25%", ""),
        ("tanh", "tanh", "0.000000", "0.800000", "", "50%"),
    ]
    assert tuple(tables[1].rows[0]) == ("fc.weight", "0.1", "0.01", "2.0e-03")
    assert sum(isinstance(block, Figure) for block in section.blocks) == 2


def test_without_a_monitor_there_is_no_section(tmp_path: Path) -> None:
    assert layers_section(tmp_path) == []


def test_a_network_without_activations_has_its_weights(tmp_path: Path) -> None:
    write(tmp_path, Snapshot(0, 0.1, None, None, {}, {"fc.weight": Weight(0.1, 0.01, 0.002)}))
    (section,) = layers_section(tmp_path)
    assert [type(block).__name__ for block in section.blocks] == ["Figure", "Table"]
