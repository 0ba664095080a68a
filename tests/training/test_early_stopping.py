"""When training stops for want of a better validation loss."""

from small_training import INPUTS, LABELS, VALIDATION, trainer

from minicnn import layers
from minicnn.training import EarlyStopping


def test_early_stopping_waits_for_its_patience():
    run = trainer([EarlyStopping(2)])
    run.optimizer.lr = 1e-30  # nothing is learnt: the first validation loss stays the best ...
    for layer in run.model.layers:
        if isinstance(layer, layers.BatchNorm):
            layer.momentum = 1.0  # ... and the running statistics stand still too
    history = run.fit((INPUTS, LABELS), VALIDATION, epochs=9, batch_size=8)
    assert len(history) == 3
    assert "not improved for 2 epochs" in run.stop_reason
    # asked for more epochs, it waits as long as before
    assert len(run.fit((INPUTS, LABELS), VALIDATION, epochs=12, batch_size=8)) == 5
    assert len(run.fit((INPUTS, LABELS), VALIDATION, epochs=12, batch_size=8)) == 5
