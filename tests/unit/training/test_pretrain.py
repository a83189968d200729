from seisray.training.pretrain import waited


def test_a_run_waited_as_much_as_all_its_steps_together() -> None:
    history = [
        {"step": 10.0, "step_ms": 100.0, "data_wait_share": 0.0},
        {"step": 40.0, "step_ms": 200.0, "data_wait_share": 0.5},
        {"step": 50.0, "step_ms": 100.0, "data_wait_share": 0.0},
    ]
    assert waited(history) == 3000 / 8000
