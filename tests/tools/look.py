"""`python -m tests.tools.look FOLDER [NAME…]`: what people see on a pull request, as pictures.

Markdown goes through cmark-gfm, GitHub's own parser, into a page that looks like GitHub's, and
headless Chromium takes a picture of it. For eyes, not for the suite: what is right is held by
golden files and laws.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from cmarkgfm.cmark import Options
from cmarkgfm.cmark import github_flavored_markdown_to_html as to_html

STYLE = """
body { margin: 0; padding: 16px; background: #fff; color: #1f2328; width: WIDTHpx;
  font: 14px/1.5 -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC',
  'Noto Color Emoji', sans-serif; word-wrap: break-word }
h3 { font-size: 1.25em; margin: 16px 0; line-height: 1.25 } h4 { font-size: 1em; margin: 16px 0 }
p, ul, table, pre, details, blockquote { margin: 0 0 16px } ul { padding-left: 2em }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%;
  overflow: auto } th, td { padding: 6px 13px; border: 1px solid #d1d9e0 }
tr:nth-child(2n) { background: #f6f8fa } th { font-weight: 600 }
code, pre { font: 12px ui-monospace, 'DejaVu Sans Mono', monospace }
code { background: #818b981f; padding: .2em .4em; border-radius: 6px; white-space: break-spaces }
pre { background: #f6f8fa; padding: 16px; border-radius: 6px; overflow: auto; line-height: 1.45 }
pre code { background: none; padding: 0; white-space: pre } a { color: #0969da }
blockquote { border-left: .25em solid #d1d9e0; color: #59636e; padding: 0 1em; margin-left: 0 }
.box { border: 1px solid #d1d9e0; border-radius: 6px; padding: 0 16px } summary { cursor: pointer }
"""
MEASURE = "<script>document.title = document.documentElement.scrollHeight</script>"
CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def page(markdown: str, width: int, opened: bool = False) -> str:
    """The HTML of a comment as GitHub lays it out; `opened`: with what is folded."""
    body = to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    body = body.replace("<details>", "<details open>") if opened else body
    style = STYLE.replace("WIDTH", str(width))
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style><div class=box>{body}</div>'


def picture(html: str, to: Path, width: int) -> None:
    """One screenshot, as high as the page is."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "page.html"
        file.write_text(html + MEASURE, "utf-8")
        command = [*CHROMIUM, f"--user-data-dir={name}/p"]
        seen = _run([*command, f"--window-size={width + 40},400", "--dump-dom", str(file)])
        found = re.search(r"<title>(\d+)</title>", seen)
        height = min(16_000, int(found[1]) + 20) if found else 2_000
        size = f"--window-size={width + 40},{height}"
        _run([*command, size, f"--screenshot={to}", str(file)])


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def main(folder: str, names: list[str]) -> None:
    """Every golden Markdown file of pull requests, or those that are named."""
    golden = Path(__file__).parents[1] / "golden"
    for file in sorted((*golden.glob("pull-request/*.md"), *golden.glob("reports/plan-*.md"))):
        if not names or file.stem in names:
            text = file.read_text("utf-8")
            picture(page(text, 860), Path(folder, f"{file.stem}.png"), 900)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
