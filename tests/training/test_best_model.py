"""Which model is kept as the best."""

from small_training import (
    INPUTS,
    LABELS,
    VALIDATION,
    assert_equal_states,
    network,
    trainer,
)

from minicnn import load
from minicnn.training import BestModel, Callback


def test_the_best_model_is_kept(tmp_path):
    best = BestModel(model := network(), tmp_path / "best.safetensors")
    states = []

    class Keep(Callback):
        def on_epoch_end(self, trainer, epoch):
            states.append(trainer.model.state_dict())

    history = trainer([best, Keep()], model).fit(
        (INPUTS, LABELS), VALIDATION, epochs=5, batch_size=8)
    ranked = max(history, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss))
    assert best.epoch == ranked.epoch
    assert_equal_states(load(best.path).state_dict(), states[best.epoch - 1])
