from seisray.training.run import differences


def test_each_setting_that_differs_is_named_with_both_values() -> None:
    before = {"config": {"lr": 1e-3, "steps": 300}, "surveys": {"line7": "ab"}}
    now = {"config": {"lr": 2e-3, "steps": 300}, "surveys": {"line7": "ab", "line8": "cd"}}
    assert differences(before, now) == ["config.lr: 0.001 -> 0.002", "surveys.line8: None -> cd"]


def test_of_long_lists_both_ends_are_shown() -> None:
    found = differences({"ffids": [5, 7]}, {"ffids": list(range(1001, 1769))})
    assert found == ["ffids: [5, 7] -> [1001, 1002 ... 1768: 768 in all]"]
