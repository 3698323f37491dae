"""README's pictures: what the browser tests see on their way through the notebooks and the service.

python -m benchmarks.pictures           # runs those tests in Chromium and copies their screenshots to pictures/

A picture is taken by the test that also checks what it shows, so none can show what does not work.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).with_name("pictures")

# name in pictures/ -> the test, and the screenshot in its folder
PICTURES = {
    "check.png": ("test_exercise.py::test_a_learner_is_told_why_and_then_passes", "wrong.png"),
    "chapter.png": ("test_lab.py::test_a_chapter_runs_through_the_menu[02_requirements.ipynb]", "figure-22.png"),
    "service.png": ("test_start_page.py::test_an_example_is_scored_and_explained[Card testing burst]", "page.png"),
    "review.png": (
        "test_review_page.py::test_text_is_readable_in_light_and_dark_and_everything_has_a_name[light]",
        "light.png",
    ),
}


def main() -> None:
    """Run the tests one by one, so that each folder is known, and copy what they saw."""
    FOLDER.mkdir(exist_ok=True)
    for name, (test, screenshot) in PICTURES.items():
        print(f"{name}: {test}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "seen"
            command = ["-m", "pytest", "-q", "-m", "browser", f"tests/browser/{test}", f"--basetemp={place}"]
            subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
            (found,) = [path for path in place.glob(f"test_*0/{screenshot}") if not path.parent.is_symlink()]
            shutil.copyfile(found, FOLDER / name)


if __name__ == "__main__":
    main()
