"""The watchdog raises each alarm when it should, once, and not before."""

import pytest

from seisray.config import WatchConfig
from seisray.errors import ConfigError
from seisray.training.watchdog import ACCURACIES, LEAST_NORMS, Alarm, Watchdog, strongest

CALM = {"d_gradient": 1.0, "g_gradient": 2.0, "d_accuracy": 0.7}


def calm(watchdog: Watchdog, steps: int = 30) -> None:
    for step in range(steps):
        assert watchdog.look(step, CALM) == []


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), -float("inf")])
def test_a_figure_that_is_not_finite_takes_the_run_back(figure: float) -> None:
    (alarm,) = Watchdog(WatchConfig()).look(7, CALM | {"d_loss": figure})
    assert (alarm.step, alarm.fault, alarm.action) == (7, "broken", "rollback")
    assert str(alarm) == "step 7: broken: d_loss not finite: back to the last good checkpoint"


def test_a_norm_far_above_the_usual_one_is_an_explosion() -> None:
    watchdog = Watchdog(WatchConfig(explosion="stop", explosion_factor=10))
    calm(watchdog)
    assert watchdog.look(30, CALM | {"d_gradient": 9.9}) == []
    (alarm,) = watchdog.look(31, CALM | {"g_gradient": 21.0})
    assert (alarm.fault, alarm.action) == ("explosion", "stop")
    assert "g_gradient 21, usually 2" in alarm.text


def test_two_explosions_are_one_alarm_that_names_both() -> None:
    watchdog = Watchdog(WatchConfig())
    calm(watchdog)
    (alarm,) = watchdog.look(30, {"d_gradient": 1e3, "g_gradient": 1e4})
    assert "d_gradient 1e+03" in alarm.text
    assert "g_gradient 1e+04" in alarm.text


def test_an_action_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"WatchConfig\.broken is 'rolback', expected one of off, warn"):
        WatchConfig(broken="rolback")  # type: ignore[arg-type]


def test_nothing_explodes_before_it_is_known_what_is_usual() -> None:
    watchdog = Watchdog(WatchConfig())
    calm(watchdog, LEAST_NORMS - 1)
    assert watchdog.look(9, CALM | {"d_gradient": 1e9}) == []


def test_d_has_won_only_when_it_is_right_for_long() -> None:
    watchdog = Watchdog(WatchConfig())
    for step in range(ACCURACIES - 1):
        assert watchdog.look(step, {"d_accuracy": 1.0}) == []
    (alarm,) = watchdog.look(ACCURACIES, {"d_accuracy": 1.0})
    assert (alarm.fault, alarm.action) == ("beaten", "warn")


def test_samples_without_diversity_are_a_collapse() -> None:
    watchdog = Watchdog(WatchConfig(collapse="rollback"))
    assert watchdog.look(1, {"diversity_ratio": 0.31}) == []
    (alarm,) = watchdog.look(2, {"diversity_ratio": 0.29})
    assert (alarm.fault, alarm.action) == ("collapse", "rollback")


def test_a_warning_comes_once_and_again_after_its_fault_went_away() -> None:
    watchdog = Watchdog(WatchConfig())
    said = [len(watchdog.look(i, {"diversity_ratio": ratio})) for i, ratio in enumerate((0.1, 0.1, 0.9, 0.1))]
    assert said == [1, 0, 0, 1]
    watchdog.look(5, CALM)  # a step at which diversity is not looked at ends no collapse
    assert watchdog.look(6, {"diversity_ratio": 0.1}) == []


def test_what_is_off_is_silent() -> None:
    assert Watchdog(WatchConfig(broken="off")).look(1, {"d_loss": float("nan")}) == []


def test_one_rollback_too_many_is_a_stop() -> None:
    watchdog = Watchdog(WatchConfig(rollbacks=2))
    for expected in ("rollback", "rollback", "stop"):
        (alarm,) = watchdog.look(1, {"d_loss": float("nan")})
        assert alarm.action == expected
        watchdog.go_back()
    assert "after 2 rollbacks" in alarm.text
    (alarm,) = Watchdog(WatchConfig(rollbacks=2), rolled_back=2).look(1, {"d_loss": float("nan")})
    assert alarm.action == "stop"


def test_after_a_rollback_the_past_is_forgotten() -> None:
    watchdog = Watchdog(WatchConfig(explosion_factor=10))
    calm(watchdog)
    watchdog.go_back()
    assert watchdog.look(1, CALM | {"d_gradient": 1e6}) == []


def test_a_run_that_goes_on_knows_what_was_usual_and_what_was_said() -> None:
    config = WatchConfig(explosion_factor=10)
    before, after = Watchdog(config), Watchdog(config)
    calm(before)
    assert before.look(30, CALM | {"diversity_ratio": 0.1, "d_accuracy": 1.0}) != []
    after.load_state_dict(before.state_dict())
    for step, figures in enumerate([CALM | {"diversity_ratio": 0.1}, CALM | {"d_gradient": 11.0, "d_accuracy": 1.0}]):
        assert after.look(step, figures) == before.look(step, figures)
    assert after.state_dict() == before.state_dict()


def test_the_strongest_alarm_decides() -> None:
    alarms = [Alarm(step=1, fault="x", text="y", action=action) for action in ("warn", "stop", "rollback")]
    assert [strongest(alarms[:n], "cpu") for n in range(4)] == ["off", "warn", "stop", "stop"]


def test_what_lasts_a_whole_game_or_is_switched_off_is_no_trouble_of_a_step() -> None:
    beaten = Watchdog(WatchConfig())
    for step in range(ACCURACIES):
        beaten.look(step, {"d_accuracy": 1.0})
    beaten.look(ACCURACIES, CALM | {"d_accuracy": 1.0, "diversity_ratio": 0.1})
    assert beaten.calm
    broken = CALM | {"d_loss": float("nan")}
    for action, calm in (("warn", False), ("off", True)):
        watchdog = Watchdog(WatchConfig(broken=action))
        watchdog.look(1, broken)
        assert watchdog.calm == calm
        watchdog.look(2, CALM)
        assert watchdog.calm
