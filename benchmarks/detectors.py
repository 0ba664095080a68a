"""Detectors of faces side by side, on photos that packages ship; the table of decision 037.

    python -m pip install -e '.[faces]' scikit-image scikit-learn
    python benchmarks/detectors.py

Two portraits in six sizes and six alterations, 100 faces and 100 other patches of LFW, and the
27 other pictures of scikit-image and scikit-learn, without a human face, in four sizes. Each
detector searches a picture as `minicnn.inference.find_faces` does: of at most 1,280 pixels, with a
border.
"""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
import sklearn.datasets
from PIL import Image
from skimage.feature import Cascade

Box = tuple[float, float, float]
Detector = Callable[[np.ndarray, int], list[Box]]

PHOTOS = Path(skimage.data.__file__).parent
PORTRAITS = {  # with the column and row of the face's centre and its size
    PHOTOS / "astronaut.png": (222, 115, 110),
    Path(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)): (255, 205, 220),
}
SIZES = (0.25, 0.5, 1, 2, 4, 8)


def noisy(grey: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 15, grey.shape)
    return (grey + noise).clip(0, 255).astype(np.uint8)


def rotated(degrees: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda grey: np.array(Image.fromarray(grey).rotate(degrees))


ALTERED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": np.fliplr,
    "dark": lambda grey: grey // 4,
    "pale": lambda grey: (255 - (255 - grey) * 0.4).astype(np.uint8),
    "noisy": noisy,
    "rotated by 10": rotated(10),
    "rotated by 20": rotated(20),
}


def haar(cascade: str, agreeing: int) -> Detector:
    """OpenCV's, with one of the cascades of its wheel."""
    found = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_{cascade}.xml")

    def detect(grey: np.ndarray, least: int) -> list[Box]:
        windows = found.detectMultiScale(
            grey, scaleFactor=1.1, minNeighbors=agreeing, minSize=(least, least))
        return [(left, top, side) for left, top, side, _ in windows]

    return detect


def lbp(step: float) -> Detector:
    """scikit-image's, with the cascade of its wheel."""
    found = Cascade(skimage.data.lbp_frontal_face_cascade_filename())

    def detect(grey: np.ndarray, least: int) -> list[Box]:
        windows = found.detect_multi_scale(
            grey, scale_factor=step, step_ratio=1, min_size=(least, least),
            max_size=(min(grey.shape),) * 2)
        return [(each["c"], each["r"], each["width"]) for each in windows]

    return detect


DETECTORS = {
    **{f"OpenCV, Haar `{cascade}`, {agreeing} agreeing": haar(cascade, agreeing)
       for cascade in ("default", "alt", "alt2") for agreeing in (3, 4, 5)},
    **{f"scikit-image, LBP, steps of {step}": lbp(step) for step in (1.2, 1.1)},
}


def grey_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGB").convert("L"))


def resized(grey: np.ndarray, factor: float) -> np.ndarray:
    size = round(grey.shape[1] * factor), round(grey.shape[0] * factor)
    return np.array(Image.fromarray(grey).resize(size, Image.Resampling.LANCZOS))


def search(detect: Detector, grey: np.ndarray) -> list[Box]:
    factor = min(1, 1280 / max(grey.shape))
    if factor < 1:
        grey = resized(grey, factor)
    border = round(min(grey.shape) / 4)
    padded = np.pad(grey, border, mode="edge")
    return [((left - border) / factor, (top - border) / factor, side / factor)
            for left, top, side in detect(padded, max(24, round(max(grey.shape) / 40)))]


def portraits() -> list[tuple[np.ndarray, Box]]:
    """Each altered portrait with its face: the column and row of its centre, its size."""
    cases = []
    for path, (column, row, size) in PORTRAITS.items():
        grey = grey_of(path)
        for factor in SIZES:
            cases.append((resized(grey, factor), (factor * column, factor * row, factor * size)))
        for name, change in ALTERED.items():
            x, y = column - grey.shape[1] / 2, row - grey.shape[0] / 2
            if name == "mirrored":
                x = -x
            turn = np.deg2rad(int(name.split()[-1]) if "rotated" in name else 0)
            x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
            cases.append((np.ascontiguousarray(change(grey)),
                          (x + grey.shape[1] / 2, y + grey.shape[0] / 2, size)))
    return cases


def is_at(box: Box, face: Box) -> bool:
    left, top, side = box
    column, row, size = face
    return (abs(left + side / 2 - column) < 0.3 * size and abs(top + side / 2 - row) < 0.3 * size
            and 0.6 < side / size < 1.6)


def main() -> None:
    cv2.setNumThreads(1)
    cases = portraits()
    samples = Path(sklearn.datasets.__file__).parent / "images"
    others = [path for path in sorted(PHOTOS.glob("*")) if path.suffix in (".png", ".jpg")
              and path not in PORTRAITS] + sorted(samples.glob("*.jpg"))
    empty = [resized(grey_of(path), factor) for path in others for factor in (0.5, 1, 2, 4)]
    patches = [resized((patch * 255).astype(np.uint8), 4)
               for patch in np.load(PHOTOS / "lfw_subset.npy")]
    print("| detector | portraits found | LFW's faces found | false in portraits | false in LFW's "
          "patches | false in photos without a face | time |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, detect in DETECTORS.items():
        began = time.perf_counter()
        answers = [(search(detect, grey), face) for grey, face in cases]
        found = sum(any(is_at(box, face) for box in boxes) for boxes, face in answers)
        beside = sum(not is_at(box, face) for boxes, face in answers for box in boxes)
        false = sum(len(search(detect, grey)) for grey in empty)
        seen = [bool(search(detect, grey)) for grey in patches]
        print(f"| {name} | {found} of {len(cases)} | {sum(seen[:100])} of 100 | {beside} "
              f"| {sum(seen[100:])} of 100 | {false} in {len(empty)} "
              f"| {time.perf_counter() - began:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
