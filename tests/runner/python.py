"""What stands for `python` on a machine: pip notes what it was asked for, and the tool is there.

Started as `python.py FILES FOLDER ARGUMENTS...`. Known are `-I -m pip install REQUIREMENTS...` and
`-I -m venv FOLDER`; anything else is refused, so that no workflow comes to run other code unseen:
without `-I` a folder `pip` of the work tree would be what is run.
"""

import sys
from pathlib import Path


def main(files, folder, *words):
    """0, or 97 for what is not known here."""
    if words[:4] == ("-I", "-m", "pip", "install"):
        return install(Path(files), Path(folder), words[4:])
    if words[:3] == ("-I", "-m", "venv"):
        tools = Path(words[3]) / "bin"
        tools.mkdir(parents=True)
        for name in ("python", "python3.11"):
            give(tools / name, sys.executable, __file__, files, tools)
        (tools / "activate").write_text(f'PATH="{tools.resolve()}:$PATH"\nexport PATH\n')
        return 0
    print("not known here: python", *words)
    return 97


def install(files, folder, words):
    """The tool itself, where it is asked for by an address; never from an index."""
    with (files / "installed").open("a") as file:
        print(*words, file=file)
    for word in words:
        if word.startswith("llmops"):
            _, _, address = word.partition(" @ ")
            if not address:
                print(f"refused: {word!r} would come from an index")
                return 1
            give(folder / "llmops", *(files / "tool").read_text().split("\n"))
    return 0


def give(file, *command):
    """A program that is another one."""
    file.write_text("#!/bin/sh\nexec " + " ".join(f"'{w}'" for w in command) + ' "$@"\n')
    file.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
