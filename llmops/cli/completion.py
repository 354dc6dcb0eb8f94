"""`llmops completion SHELL`: a script by which a shell completes commands, options and values.

The script is short and stays good after an upgrade: at each TAB it asks this command what fits
(`complete.py`), which knows the parsers, the specs around it and the revisions of git.
"""

from __future__ import annotations

import argparse

from llmops.cli.output import say

EXAMPLES = """\
  llmops completion bash
  llmops completion fish"""
SHELLS = ("bash", "zsh", "fish")


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `completion`."""
    parser.add_argument("shell", choices=SHELLS, help="source <(llmops completion bash)")
    parser.add_argument("--line", help=argparse.SUPPRESS)  # what stands before the cursor
    parser.add_argument("--breaks", default="", help=argparse.SUPPRESS)  # where bash ends a word
    parser.add_argument("--words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def main(args: argparse.Namespace) -> int:
    """0."""
    from llmops.cli import complete

    if args.line is None and args.words is None:
        say(_SCRIPTS[args.shell].rstrip("\n"))
        return 0
    words = complete.split(args.line) if args.line is not None else args.words
    found = complete.complete(words[1:])
    cut = complete.broken(words[-1], args.breaks) if args.shell == "bash" else 0
    describes = args.shell != "bash"
    say("\n".join([found.how, *(one.shown(cut, describes) for one in found.words)]))
    return 0


# Each asks for one line that says how, then a word on each line; a tab before what it means.
_BASH = """\
_llmops() {
  local how="" word
  COMPREPLY=()
  while IFS= read -r word; do
    if [ -z "$how" ]; then how="$word"; else COMPREPLY+=("$word"); fi
  done < <("$1" completion bash --breaks="$COMP_WORDBREAKS" \\
    --line="${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  case "$how" in
    files) compopt -o default 2>/dev/null ;;
    folders) compopt -o dirnames -o filenames 2>/dev/null ;;
    joined) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F _llmops llmops
"""
_ZSH = """\
#compdef llmops
_llmops() {
  local -a said names lines
  local how one
  said=("${(@f)$("${(Q)words[1]}" completion zsh --words \\
    "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  how="${said[1]}"
  for one in "${(@)said[2,-1]}"; do
    [[ -n "$one" ]] || continue
    names+=("${one%%$'\\t'*}")
    lines+=("${one/$'\\t'/  -- }")
  done
  case "$how" in
    files) [[ "$PREFIX" == -*=* ]] && compset -P '*='; _files ;;
    folders) [[ "$PREFIX" == -*=* ]] && compset -P '*='; _files -/ ;;
    joined) compadd -S '' -l -d lines -a names ;;
    *) compadd -l -d lines -a names ;;
  esac
}
if [ "$funcstack[1]" = "_llmops" ]; then
  _llmops "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _llmops llmops
fi
"""
_FISH = """\
function __llmops_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l said ($words[1] completion fish --words $words 2>/dev/null)
    switch "$said[1]"
        case files
            __fish_complete_path (commandline -ct)
        case folders
            __fish_complete_directories (commandline -ct)
        case '*'
            printf '%s\\n' $said[2..-1]
    end
end
complete -c llmops -f -a '(__llmops_complete)'
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
