"""Write what has changed."""

from __future__ import annotations

from reference.pages import DOCS, written

if __name__ == "__main__":
    for name, text in written().items():
        path = DOCS / name
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"docs/reference/{name} is new.")
