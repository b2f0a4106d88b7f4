"""A Slurm of several nodes on this machine, all of it below one folder; started and ended by its test."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

CONFIGURATION = """ClusterName=proctor
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=5
SlurmdTimeout=5
MessageTimeout=3
InactiveLimit=0
KillWait=5
MinJobAge=300
JobRequeue=1
StateSaveLocation={folder}/ctld
SlurmctldPidFile={folder}/ctld.pid
SlurmctldLogFile={folder}/log/ctld.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/log/slurmd.%n.log
{nodes}
PartitionName=test Nodes=n[1-{count}] Default=YES MaxTime=INFINITE State=UP
"""


class Cluster:
    """Needs root, and Debian's slurmctld, slurmd, slurm-client and munge."""

    def __init__(self, folder, nodes):
        self.folder, self.names = pathlib.Path(folder), [f"n{number + 1}" for number in range(nodes)]
        self.variables = dict(os.environ, SLURM_CONF=f"{folder}/slurm.conf", PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        self.folder.chmod(0o755)
        for name in ("munge", "ctld", "log", *(f"spool.{node}" for node in self.names)):
            (self.folder / name).mkdir()
        host, ports = socket.gethostname().split(".")[0], free_ports(nodes + 1)
        lines = [
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=2000 State=UNKNOWN"
            for name, port in zip(self.names, ports)
        ]
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=host, port=ports[-1], folder=folder, nodes="\n".join(lines), count=nodes)
        )

    def start(self):
        munge = self.folder / "munge"
        key = munge / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for path in (munge, key):
            shutil.chown(path, "munge", "munge")
        self.call(
            "setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "munged", f"--socket={munge}/munge.socket",
            f"--key-file={key}", f"--pid-file={munge}/munged.pid", f"--log-file={munge}/munged.log",
            f"--seed-file={munge}/munged.seed", "--num-threads=2",
        )
        self.call("slurmctld", "-c")
        for name in self.names:
            self.call("slurmd", "-N", name)
        self.until(lambda: self.call("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(self.names), "all nodes idle")

    def stop(self):
        files = [*self.folder.glob("slurmd.*.pid"), self.folder / "ctld.pid", self.folder / "munge/munged.pid"]
        pids = [int(file.read_text()) for file in files if file.exists() and file.read_text().strip()]
        for pid in pids:
            end(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while any(is_alive(pid) for pid in pids):
            if time.monotonic() > deadline:
                for pid in pids:
                    end(pid, signal.SIGKILL)
            time.sleep(0.1)

    def call(self, *argv):
        """stdout; fails with what it says."""
        done = subprocess.run(argv, env=self.variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def tasks(self):
        """(job, index in the array, state, node) of everything that goes on."""
        lines = self.call("squeue", "-h", "-r", "-o", "%A|%K|%T|%N").splitlines()
        return [tuple(part.strip() for part in line.split("|")) for line in lines]

    def until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"{what}: {self.tasks()}\n{self.call('sinfo', '-N')}"
            time.sleep(0.1)

    def kill(self, node, job):
        """As if its power was cut: the daemon, and the job with everything below it."""
        end(int((self.folder / f"slurmd.{node}.pid").read_text()), signal.SIGKILL)
        roots = [pid for pid, words in processes().items() if words.startswith(f"slurmstepd: [{job}.")]
        assert roots, f"no step of job {job}"
        # A step that outlives its task for a moment would still report how that ended.
        for pid in roots:
            end(pid, signal.SIGSTOP)
        for pid in [*roots, *(below for root in roots for below in descendants(root))]:
            end(pid, signal.SIGKILL)

    def restart(self, node):
        self.call("slurmd", "-N", node)
        self.until(lambda: self.call("sinfo", "-h", "-n", node, "-o", "%T").split() == ["idle"], f"{node} idle")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def processes():
    """What is alive: process id to command line."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if words:
            found[int(path.name)] = words
    return found


def descendants(root):
    parents = {}
    for pid in processes():
        try:
            parents[pid] = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def end(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
