#!/bin/sh
# Waits for the end of its input, which the test process holds open. Then it kills every process of the cluster in the
# folder $1, with those of its jobs, and removes the folder. With `list` as $2, it only prints the processes, at once.

# The daemons and slurmstepd hold their logs open. A job has the cluster's configuration and its node in its environment.
roots() {
  find /proc/[0-9]*/fd -lname "$1/log/*"
  grep -lszFx "SLURM_CONF=$1/slurm.conf" /proc/[0-9]*/environ | xargs -r grep -lsz '^SLURMD_NODENAME='
}

# A process may clear its environment, but its parent is known.
with_descendants() {
  sed -s 's/(.*)/-/' /proc/[0-9]*/stat | awk -v roots="$1" '
    BEGIN { split(roots, list); for (i in list) found[list[i]] = 1 }
    { parent[$1] = $4 }
    END {
      do {
        more = 0
        for (pid in parent) if (!(pid in found) && parent[pid] in found) { found[pid] = 1; more = 1 }
      } while (more)
      for (pid in found) print pid
    }'
}

processes() {
  roots=$(roots "$1" | cut -d/ -f3 | sort -u | tr '\n' ' ')
  if [ -n "$roots" ]; then with_descendants "$roots"; fi
} 2>/dev/null

if [ "$2" = list ]; then
  processes "$1"
  exit
fi

read -r _
# A process that has just been forked may not be recognizable yet, so none may be found twice in a row.
absent=0
while [ $absent -lt 2 ]; do
  left=$(processes "$1")
  if [ -z "$left" ]; then
    absent=$((absent + 1))
  else
    absent=0
    kill -KILL $left 2>/dev/null
  fi
  sleep 0.1
done
rm -rf "$1"
