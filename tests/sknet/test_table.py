"""Table 2 of SKNet's README: what our definitions give, against what others
counted, and against our own README."""
import json
import re
from pathlib import Path

import pytest

from sknet import models
from sknet.profile import profile

README = Path(__file__).parent.parent.parent / "README.md"

# Of the named definitions, counted elsewhere: millions of parameters, the same
# with batch norm's statistics where that is known, and G of multiply-adds.
COUNTED = {
    "resnext50": (25.03, 25.10, 4.23), "resnext101": (44.18, 44.32, 7.970),
    "attention56": (31.81, 31.88, 6.271), "attentionnext56": (31.32, 31.42, 6.419),
    "attention92": (52.47, 52.60, 10.534), "inception_v3": (23.83, None, 5.713),
    "inception_v4": (42.68, None, 12.254),
    "inception_resnet_v2": (55.84, None, 13.156), "dpn92": (37.67, None, 6.502),
    "dpn98": (61.57, None, 11.671), "resnext50_bam": (25.39, None, 4.313),
    "resnext101_bam": (44.54, 44.67, 8.052),
    "resnext50_cbam": (27.56, 27.63, 4.237),
    "resnext101_cbam": (48.96, 49.10, 7.981), "senet50": (27.56, 27.63, 4.233),
    "senet101": (48.96, 49.09, 7.975), "sknet50": (27.479784, 27.564328, 4.463),
    "sknet101": (48.686760, 48.859304, 8.449), "sknet26": (16.75, None, 2.587)}
TABLE_2 = set(COUNTED) - {"attention56", "sknet26"}


def digits(number):
    return len(str(number).partition(".")[2])


@pytest.mark.parametrize("name", COUNTED)
def test_costs(name):
    costs = profile(models.create(name))
    own = (costs.total("params") / 1e6, costs.total("params_with_stats") / 1e6,
           costs.total("macs") / 1e9)
    for value, counted in zip(own, COUNTED[name]):
        if counted is not None:
            assert round(value, digits(counted)) == counted


def test_the_readme_has_the_table_that_the_command_prints(sknet):
    done = sknet("models", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    table = dict(re.findall(r"^\| (\w+) \| (\d.*%\)) \|$", README.read_text(), re.M))
    assert set(table) == TABLE_2 == {
        name for name, row in rows.items() if row["published_gflops"]}
    for name, cells in table.items():
        row = rows[name]
        params, gflops = row["params"] / 1e6, row["macs"] / 1e9
        more = [own / published - 1 for own, published in (
            (params, row["published_params"]), (gflops, row["published_gflops"]))]
        assert cells == (
            f"{params:.2f} | {row['published_params']:.1f} ({more[0]:+.1%}) | "
            f"{gflops:.3f} | {row['published_gflops']:.2f} ({more[1]:+.1%})")


def test_models_as_a_table(sknet):
    lines = sknet("models").stdout.splitlines()
    assert len(lines) == 1 + len(models.names())
    line, = [line for line in lines if line.startswith("sknet50 ")]
    assert line.split() == ["sknet50", "224", "27.48", "27.5", "(", "-0.1%)",
                            "4.463", "4.47", "(", "-0.2%)", "SKNet-50"]
