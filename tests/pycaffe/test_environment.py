"""What importing caffe sets for the libraries beneath it."""
import os

import pytest
from caffe.environment import processors


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))


@pytest.mark.parametrize("text, expected", [
    ("max 100000\n", 8), ("200000 100000\n", 2), ("150000 100000\n", 2),
    ("5000 100000\n", 1), ("1600000 100000\n", 8)])
def test_cgroup_2(text, expected, tmp_path):
    (tmp_path / "cpu.max").write_text(text)
    assert processors(tmp_path) == expected


@pytest.mark.parametrize("quota, expected", [(-1, 8), (300000, 3), (10000, 1)])
def test_cgroup_1(quota, expected, tmp_path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert processors(tmp_path) == expected


def test_none(tmp_path):
    assert processors(tmp_path) == 8
