#!/bin/sh
# Prints the folder of PostgreSQL's programs, or fails. Debian keeps them outside the PATH, in one folder per version.
# OPTLAB_POSTGRES overrides the search.

has_programs() {
  for program in initdb postgres pg_ctl psql; do
    if [ ! -x "$1/$program" ]; then return 1; fi
  done
}

initdb=$(command -v initdb)
versions=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort --reverse)
for folder in "$OPTLAB_POSTGRES" "${initdb%/*}" "$(pg_config --bindir 2>/dev/null)" $versions; do
  if has_programs "$folder"; then
    echo "$folder"
    exit
  fi
done
exit 1
