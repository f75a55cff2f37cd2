"""A secret that is mounted as Kubernetes does it."""

from __future__ import annotations

from pathlib import Path


def mount(folder: Path, version: str, **files: str) -> None:
    """Mount a version of a secret, or exchange the one before for it.

    The names are links to ``..data``, which is a link itself: it is exchanged at once.

    Args:
        folder: where it is mounted.
        version: a name that no earlier one has.
        files: their names and contents.
    """
    real = folder / f"..{version}"
    real.mkdir(parents=True)
    for name, content in files.items():
        real.joinpath(name).write_text(content, encoding="utf-8")
        if not folder.joinpath(name).is_symlink():
            folder.joinpath(name).symlink_to(f"..data/{name}")
    folder.joinpath("..next").symlink_to(real.name)
    folder.joinpath("..next").replace(folder / "..data")
