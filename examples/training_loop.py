"""The training loop, written out: what `minicnn train` does, without what a long run needs.

    python examples/training_loop.py
"""

import numpy as np

from minicnn import data, losses, models, optimizers

faces = data.drawn_faces.load(train=1400, validation=350, test=350)
prepare = data.Preprocessing.fit(faces.train.images)

model = models.drawn_faces(seed=0)
loss = losses.SoftmaxCrossEntropy()
optimizer = optimizers.Adam(model.parameters(), lr=4e-3)
rng = np.random.default_rng(0)

for epoch in range(1, 5):
    for rows in np.array_split(rng.permutation(len(faces.train)), 44):
        logits = model.forward(prepare(faces.train.images[rows]), training=True)
        value = loss.forward(logits, faces.train.labels[rows])
        model.backward(loss.backward())
        optimizer.step()
    answers = model.predict(prepare(faces.validation.images)).argmax(1)
    accuracy = (answers == faces.validation.labels).mean()
    print(f"epoch {epoch}: loss of the last batch {value:.3f}, validation accuracy {accuracy:.1%}")
