from seisray.training.run import differences


def test_each_setting_that_differs_is_named_with_both_values() -> None:
    before = {"config": {"lr": 1e-3, "steps": 300}, "surveys": {"line7": "ab"}}
    now = {"config": {"lr": 2e-3, "steps": 300}, "surveys": {"line7": "ab", "line8": "cd"}}
    assert differences(before, now) == ["config.lr: 0.001 -> 0.002", "surveys.line8: None -> cd"]


def test_of_lists_only_what_is_not_in_both_is_shown() -> None:
    some = [*range(1001, 1041)]
    assert differences({"ffids": some}, {"ffids": [*some[:19], *some[20:]]}) == ["ffids: [1020] -> []"]
    assert differences({"at": [2.0, 1.0]}, {"at": [1.0, 2.0]}) == ["at: [2.0, 1.0] -> [1.0, 2.0]"]


def test_of_long_lists_both_ends_are_shown() -> None:
    assert differences({}, {"ffids": list(range(1001, 1769))}) == ["ffids: None -> [1001, 1002 ... 1768: 768 in all]"]
