#!/usr/bin/env bash
# Grade strangers' homework in a box: no network, no home, no files but these, all read-only.
#
#     bash grade_in_a_box.sh HOMEWORK RESULTS VENV
#
# HOMEWORK is the folder of the class, RESULTS an empty folder, VENV a virtual environment with
# minicnn in it (not an editable install: its files lie elsewhere). It needs bubblewrap (bwrap).
set -euo pipefail
homework=$(realpath "$1") results=$(realpath "$2") venv=$(realpath "$3")
python=$(dirname "$(dirname "$(realpath "$venv/bin/python")")")
bwrap --unshare-all --die-with-parent --new-session --clearenv \
  --setenv PATH /usr/bin:/bin --setenv HOME /tmp \
  --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
  --ro-bind-try /etc/alternatives /etc/alternatives --ro-bind-try /etc/fonts /etc/fonts \
  --proc /proc --dev /dev --tmpfs /tmp \
  --ro-bind "$python" "$python" --ro-bind "$venv" "$venv" \
  --ro-bind "$homework" /homework --bind "$results" /results --chdir /results \
  prlimit --nproc=500 --fsize=1000000000 \
  "$venv/bin/minicnn" check /homework --csv grades.csv --html class.html
