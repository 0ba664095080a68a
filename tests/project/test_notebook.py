"""The example notebook, run from top to bottom."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "a_notebook.ipynb"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """What each cell of code shows; an error in one of them is raised."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def text(outputs: list[Any]) -> str:
    return "".join(output.data["text/plain"] for output in outputs if "data" in output)


@pytest.mark.slow(seconds=40)
def test_every_cell_shows_what_it_should(outputs: list[list[Any]]) -> None:
    summary, training, curves, table, confusion, gradient, run, report = outputs
    assert "batchnorm_1" in text(summary)
    assert "LayerSummary(" not in text(summary)
    assert [line[:9] for line in text(training).splitlines()] == [
        "epoch 1/3", "epoch 2/3", "epoch 3/3"]
    for picture in (curves, confusion):
        assert picture[0].data["image/png"].startswith("iVBOR")
    assert "precision" in text(table)
    assert text(gradient).startswith("correct: ")
    assert "epoch 1/1" in text(run)
    assert "report.html" in text(run)
    assert "report.html" in report[0].data["text/html"]
    for shown in outputs:
        assert [output for output in shown if output.output_type == "stream"] == []


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if cell.get("outputs")] == []
    assert [cell.id for cell in notebook.cells if cell.get("execution_count")] == []
