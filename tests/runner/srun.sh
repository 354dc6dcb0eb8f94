#!/bin/bash
# Stands for Slurm's srun: notes what it was asked for, then runs the command here.
note="$1"
shift
options=()
while [[ "$1" == --* ]]; do
  options+=("$1")
  shift
done
printf '%s\n' "${options[*]}" >>"$note"
exec "$@"
