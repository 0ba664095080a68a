"""What a callback may read of a training at each event, what it may do, and who is told first."""

import inspect
import io
import itertools

import numpy as np
import pytest
from kill_and_resume import without_times
from rich.console import Console
from small_training import INPUTS, LABELS, VALIDATION, assert_equal_states, network, trainer

from minicnn import load, schedules
from minicnn.files.tensors import read_tensors
from minicnn.training import (
    BestModel,
    Callback,
    Checkpoint,
    EarlyStopping,
    HistoryFile,
    LayerStatisticsFile,
    LearningRate,
    Phase,
    RunningStatisticsFile,
    Training,
    WeightAverage,
)
from minicnn.training.anomalies import StopOnNonFinite
from minicnn.training.progress import ProgressDisplay

EVENTS = ("on_fit_start", "on_step_start", "on_loss", "on_gradients", "on_step_end",
          "on_validation_start", "measuring", "on_measured", "on_epoch_end", "on_fit_end")


def at_each_event(do, phase=Phase.RECORD):
    """A callback that does this, with the event's name and what it is given."""
    def method(event):
        base = getattr(Callback, event)

        def told(self, training, *details):
            do(event, training, *details)
            return base(self, training, *details)

        return told

    return type("Told", (Callback,), {"phase": phase} | {name: method(name) for name in EVENTS})()


def test_what_is_read_at_each_event():
    seen = []

    def read(event, training, *details):
        seen.append((event, training.epoch, training.batch, training.steps,
                     training.totals.images, len(training.history)))
        assert (training.epochs, training.batches) == (2, 2)
        assert training.progress == training.steps / 2
        assert not training.interrupted
        assert training.stop_reason == ""
        if event in ("on_measured", "on_epoch_end"):
            (epoch,) = details
            assert epoch is training.history[-1]
            assert epoch.epoch == training.epoch
            assert epoch.train_loss == training.totals.mean_loss
            assert epoch.learning_rate == training.learning_rate == training.optimizer.lr

    trainer([at_each_event(read)]).fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=12)
    step = ("on_step_start", "on_loss", "on_gradients", "on_step_end")
    end = ("on_validation_start", "measuring", "on_measured", "on_epoch_end")
    expected = [("on_fit_start", 1, 0, 0, 0, 0)]
    for epoch in (1, 2):
        done = 2 * (epoch - 1)
        expected += [(event, epoch, 0, done, 0, epoch - 1) for event in step[:3]]
        expected += [(step[3], epoch, 1, done + 1, 12, epoch - 1)]
        expected += [(event, epoch, 1, done + 1, 12, epoch - 1) for event in step[:3]]
        expected += [(step[3], epoch, 2, done + 2, 23, epoch - 1)]
        expected += [(event, epoch, 2, done + 2, 23, epoch - 1) for event in end[:2]]
        expected += [(event, epoch, 2, done + 2, 23, epoch) for event in end[2:]]
    expected += [("on_fit_end", 3, 0, 4, 0, 2)]
    # the images of a step count before on_step_end is told, so only there
    assert seen == expected


def test_a_callback_may_set_the_learning_rate_and_stop():
    def do(event, training, *details):
        if event == "on_step_start":
            training.learning_rate = 0.5 / (1 + training.batch)
        if event == "on_epoch_end":
            training.stop("enough")

    run = trainer([at_each_event(do)])
    (epoch,) = run.fit((INPUTS, LABELS), epochs=5, batch_size=12)
    assert epoch.learning_rate == run.optimizer.lr == 0.25
    assert run.stop_reason == "enough"


@pytest.mark.parametrize("arrange", [list, reversed])
def test_a_learning_rate_of_ones_own_wins_over_the_schedule(arrange):
    def do(event, training, *details):
        if event == "on_step_start":
            training.learning_rate = 0.5

    scheduled = LearningRate(schedules.Constant(), 0.02)
    run = trainer(arrange([at_each_event(do), scheduled]))
    (epoch,) = run.fit((INPUTS, LABELS), epochs=1, batch_size=12)
    assert epoch.learning_rate == 0.5


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_phases_decide_who_is_told_first(order):
    told = []
    phases = [Phase.RECORD, Phase.SAVE, Phase.GUARD, Phase.LEARN]
    callbacks = [
        at_each_event(lambda event, *_, phase=phase: told.append((event, phase)), phase)
        for phase in (phases[place] for place in order)
    ]
    trainer(callbacks).fit((INPUTS, LABELS), epochs=1, batch_size=23)
    assert told == [(event, phase) for event in EVENTS for phase in sorted(phases)]


def test_callbacks_of_one_phase_are_told_in_the_order_of_the_list():
    told = []
    callbacks = [at_each_event(lambda *_, name=name: told.append(name)) for name in "bca"]
    trainer(callbacks).fit((INPUTS, LABELS), epochs=1, batch_size=23)
    assert "".join(told) == "bca" * len(EVENTS)


def test_every_event_calls_what_it_tells_of_the_trainer(tmp_path):
    guard = trainer().callbacks[0]
    display = ProgressDisplay(Console(file=io.StringIO()))
    for callback in [*all_callbacks(network(), tmp_path), guard, display, Callback()]:
        for event in EVENTS:
            assert next(iter(inspect.signature(getattr(callback, event)).parameters)) == "trainer"


def test_a_phase_of_the_callbacks_own_says_nothing_of_its_place():
    told = []
    own = at_each_event(lambda *_: told.append("own"))
    own.phase = "warm up"
    others = [at_each_event(lambda *_, phase=phase: told.append(phase), phase)
              for phase in (Phase.SAVE, Phase.LEARN)]
    trainer([own, *others]).fit((INPUTS, LABELS), epochs=1, batch_size=23)
    assert told == [Phase.LEARN, "own", Phase.SAVE] * len(EVENTS)


def test_a_callback_need_not_have_the_base_class():
    class Told:
        def __init__(self):
            self.told = []
            self.measuring = False  # of its own

        def __getattr__(self, name):
            if name not in ("on_step_end", "on_epoch_end", "close"):
                raise AttributeError(name)
            return lambda *_: self.told.append(name)

    callback = Told()
    trainer([callback]).fit((INPUTS, LABELS), epochs=1, batch_size=12)
    assert callback.told == ["on_step_end", "on_step_end", "on_epoch_end", "close"]


class Narrow:
    """A training that has nothing but what `Training` names."""

    def __init__(self, whole):
        object.__setattr__(self, "whole", whole)

    def __getattr__(self, name):
        assert name in Training.__dict__ or name in Training.__annotations__, name
        return getattr(self.whole, name)

    def __setattr__(self, name, value):
        assert name in Training.__annotations__, name
        setattr(self.whole, name, value)


def narrowed(callback):
    """The callback, given nothing but what `Training` names."""
    for event in EVENTS:
        method = getattr(callback, event)
        setattr(callback, event, lambda whole, *details, method=method: method(
            Narrow(whole), *details))
    return callback


def all_callbacks(model, folder):
    """Those of a run, in its order; the progress bar is for people."""
    return [
        LearningRate(schedules.ReduceOnPlateau(patience=1), 0.02),
        BestModel(model, folder / "model.safetensors"), WeightAverage(model, 0.9),
        HistoryFile(folder / "history.csv"), RunningStatisticsFile(folder / "batchnorm.csv"),
        LayerStatisticsFile(folder / "layers.csv"), EarlyStopping(2),
        Checkpoint(folder / "last.safetensors", {}),
    ]


def trained(folder, arrange):
    """A training with the callbacks of a run, as arranged."""
    folder.mkdir()
    model = network()
    run = trainer(arrange(all_callbacks(model, folder)), model)
    run.fit((INPUTS, LABELS), VALIDATION, epochs=4, batch_size=8)
    return run


def test_callbacks_do_with_what_they_may_read(tmp_path):
    plain = trained(tmp_path / "plain", list)
    narrow = trained(tmp_path / "narrow", lambda callbacks: [narrowed(one) for one in callbacks])
    assert_equal_states(plain.model.state_dict(), narrow.model.state_dict())
    guarded = trainer()
    narrowed(guarded.callbacks[0])
    assert isinstance(guarded.callbacks[0], StopOnNonFinite)
    guarded.fit((INPUTS, LABELS), VALIDATION, epochs=1)


def test_the_order_of_the_list_changes_nothing(tmp_path):
    first, last = trained(tmp_path / "first", list), trained(tmp_path / "last", reversed)
    assert [epoch.validation_loss for epoch in first.history] == [
        epoch.validation_loss for epoch in last.history]
    best = [load(tmp_path / name / "model.safetensors") for name in ("first", "last")]
    assert_equal_states(*(model.state_dict() for model in best))
    headers = []
    for name in ("first", "last"):
        header, arrays = read_tensors(tmp_path / name / "last.safetensors", "checkpoint")
        headers.append(without_times(header["trainer"]))
        assert_equal_states(
            {key: array for key, array in arrays.items() if key.startswith("model/")},
            {f"model/{key}": array for key, array in first.model.state_dict().items()})
    guard, *others = headers[0]["callbacks"]
    assert headers[1]["callbacks"] == [guard, *reversed(others)]
    for name in ("batchnorm.csv", "layers.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "last" / name).read_bytes()


def test_a_state_taken_at_the_end_of_an_epoch_goes_on_with_the_next():
    states = []

    def take(event, training, *details):
        if event in ("on_measured", "on_epoch_end"):
            states.append(training.state_dict())

    whole = trainer([at_each_event(take)])
    whole.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
    for header, tensors in states[:2]:
        assert (header["epoch"], header["batch"], header["totals"]["images"]) == (2, 0, 0)
        resumed = trainer([Callback()])
        resumed.load_state_dict(header, tensors)
        resumed.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
        assert_equal_states(resumed.model.state_dict(), whole.model.state_dict())


def test_an_epoch_whose_end_failed_is_not_trained_again():
    def fail(event, training, *details):
        if event == "on_epoch_end" and not failures:
            failures.append(training.epoch)
            raise KeyboardInterrupt

    failures = []
    whole, broken = trainer([Callback()]), trainer([at_each_event(fail)])
    whole.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    with pytest.raises(KeyboardInterrupt):
        broken.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    assert len(broken.fit((INPUTS, LABELS), epochs=2, batch_size=8)) == 2
    assert failures == [1]
    assert_equal_states(whole.model.state_dict(), broken.model.state_dict())


def test_what_is_fed_and_its_loss_are_told():
    fed = []

    def note(event, training, *details):
        if event == "on_loss":
            x, loss = details
            fed.append((len(x), loss))

    run = trainer([at_each_event(note)], augmentation=None)
    (epoch,) = run.fit((INPUTS, LABELS), epochs=1, batch_size=12)
    assert [count for count, _ in fed] == [12, 11]
    assert epoch.train_loss == pytest.approx(np.average([loss for _, loss in fed],
                                                        weights=[12, 11]))
