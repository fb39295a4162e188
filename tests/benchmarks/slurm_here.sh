#!/usr/bin/env bash
# Start a Slurm of several nodes on this machine, for as long as COMMAND runs:
#
#     tests/benchmarks/slurm_here.sh FOLDER NODES COMMAND...
#
# It needs munge, slurmctld and slurmd (Debian: slurmctld slurmd slurm-client munge), and root. Nodes are
# slurmd processes under names of their own (multiple slurmd): n1, n2 and so on, each with one core of
# its own to Slurm. FOLDER keeps its state and logs. `nodes.pid/n2` holds the process of n2, to be killed.
set -euo pipefail
folder=$(realpath "$1") nodes=$2
shift 2
mkdir -p "$folder"/{state,spool,nodes.pid,log}
host=$(hostname -s)
memory=$(awk '/MemTotal/ {print int($2 / 1024 / 2)}' /proc/meminfo)

cat > "$folder/slurm.conf" <<CONF
ClusterName=here
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/nodes.pid/%n
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/%n.log
SlurmctldPort=16817
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2
MpiDefault=none
ReturnToService=2
SlurmdTimeout=20
SlurmctldTimeout=20
KillWait=5
JobRequeue=1
MaxArraySize=1001
TaskProlog=$folder/prolog
CONF
# all nodes have this machine's id, and its caches
cat > "$folder/prolog" <<PROLOG
#!/bin/sh
echo "export ESR_NODE=\$SLURMD_NODENAME"
echo "export XDG_CACHE_HOME=$folder/cache-\$SLURMD_NODENAME"
PROLOG
chmod 755 "$folder/prolog"
for ((it = 1; it <= nodes; it++)); do
  echo "NodeName=n$it NodeHostname=$host Port=$((17000 + it)) CPUs=1 RealMemory=$((memory / nodes))" >> "$folder/slurm.conf"
done
echo "PartitionName=all Nodes=n[1-$nodes] Default=YES State=UP OverSubscribe=NO" >> "$folder/slurm.conf"
export SLURM_CONF=$folder/slurm.conf

dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none
chmod 700 "$folder"; chmod 400 "$folder/munge.key"
stop() {
  for pid in "$folder"/nodes.pid/n* "$folder/slurmctld.pid" "$folder/munged.pid"; do
    [ -s "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
  done
}
trap stop EXIT
munged --force --key-file "$folder/munge.key" --socket "$folder/munge.socket" \
  --pid-file "$folder/munged.pid" --log-file "$folder/log/munged.log" --seed-file "$folder/munge.seed"
slurmctld
for ((it = 1; it <= nodes; it++)); do
  mkdir -p "$folder/spool/n$it"
  slurmd -N "n$it"
done
for _ in $(seq 60); do
  [ "$(sinfo --noheader --Node --states=idle 2>/dev/null | wc -l)" = "$nodes" ] && break
  sleep 1
done
"$@"
