"""Private servers for a benchmark: on a temporary folder and a free port, stopped by their own ids."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from glob import glob
from pathlib import Path

from measure import CommandFailed, run


class Server:
    """A server that lives as long as its `with` block; one database at a time."""

    def __init__(self, scratch):
        self.home = scratch / self.scheme
        self.port = free_port()
        self.process = None

    def __enter__(self):
        self.home.mkdir()
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.home, nobody.pw_uid, nobody.pw_gid)
        quietly(self.prepare())
        self.process = subprocess.Popen(
            unprivileged(self.start()),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(300):
            if subprocess.run(self.ping(), capture_output=True).returncode == 0:
                return self
            time.sleep(0.1)
        raise CommandFailed(f"{self.name} did not start")

    def __exit__(self, *_):
        self.process.send_signal(self.stop_signal)
        self.process.wait()

    def fresh(self, network=None):
        """Makes a database and returns its URL, as it is seen through a network if there is one."""
        self.ask("CREATE DATABASE bench", database=None)
        port = network.port if network else self.port
        return f"{self.scheme}://{self.user}@127.0.0.1:{port}/bench"

    def drop(self):
        self.ask("DROP DATABASE bench", database=None)

    def expect(self, sort, count):
        found = int(self.ask(self.counting[sort]).stdout)
        if found != count:
            raise CommandFailed(f"expected {count} {sort}, found {found}")

    def script(self, folder, begin, commit):
        """All of a folder as one script for the server's own client, one transaction a migration."""
        path = self.home.parent / f"{self.scheme}-client.sql"
        with path.open("w") as file:
            for migration in sorted(Path(folder).glob("*.up.sql")):
                file.write(begin + migration.read_text() + commit)
        return path


class PostgreSql(Server):
    name = "PostgreSQL"
    scheme = "postgres"
    user = "postgres"
    client_name = "psql"
    stop_signal = 2
    counting = {
        "rows": "SELECT count(*) FROM item",
        "tables": "SELECT count(*) FROM pg_tables WHERE tablename ~ '^item_[0-9]'",
    }

    def prepare(self):
        return [program("initdb"), f"--pgdata={self.home}/data", "--username=postgres", "--auth=trust",
                "--encoding=UTF8", "--locale=C", "--no-instructions"]

    def start(self):
        return [program("postgres"), "-D", f"{self.home}/data", "-c", "listen_addresses=127.0.0.1",
                "-c", f"port={self.port}", "-c", f"unix_socket_directories={self.home}"]

    def ping(self):
        return [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]

    def ask(self, sql, database="bench"):
        return run([program("psql"), "-AtqX", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
                    "-d", database or "postgres", "-c", sql])

    def client(self, url, folder):
        script = self.script(folder, "BEGIN;\n", "COMMIT;\n")
        return run([program("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(script), url])

    def version(self):
        return "PostgreSQL " + self.ask("SHOW server_version", None).stdout.split()[0]


class MariaDb(Server):
    name = "MariaDB"
    scheme = "mysql"
    user = "root"
    client_name = "mariadb"
    stop_signal = 15
    counting = {
        "rows": "SELECT count(*) FROM item",
        "tables": "SELECT count(*) FROM information_schema.tables"
                  " WHERE table_schema = 'bench' AND table_name RLIKE '^item_[0-9]'",
    }

    def prepare(self):
        return [program("mariadb-install-db"), "--no-defaults", f"--datadir={self.home}/data",
                "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]

    def start(self):
        return [program("mariadbd"), "--no-defaults", f"--datadir={self.home}/data",
                f"--socket={self.home}/socket", f"--pid-file={self.home}/pid", "--bind-address=127.0.0.1",
                f"--port={self.port}", "--skip-name-resolve", "--skip-log-bin",
                "--innodb-buffer-pool-size=128M", "--innodb-flush-log-at-trx-commit=1"]

    def connection(self):
        return ["--no-defaults", "-h", "127.0.0.1", "-P", str(self.port), "-u", "root"]

    def ping(self):
        return [program("mariadb-admin"), *self.connection(), "--silent", "ping"]

    def ask(self, sql, database="bench"):
        return run([program("mariadb"), *self.connection(), "-BN", "-e", sql, *([database] if database else [])])

    def client(self, url, folder):
        script = self.script(folder, "START TRANSACTION;\n", "COMMIT;\n")
        with script.open("rb") as stdin:
            return run([program("mariadb"), *self.connection(), "bench"], stdin=stdin)

    def version(self):
        return "MariaDB " + self.ask("SELECT version()", None).stdout.split("-")[0]


def quietly(command):
    finished = subprocess.run(unprivileged(command), cwd="/", capture_output=True, text=True)
    if finished.returncode != 0:
        raise CommandFailed(f"`{command[0]}` ended with {finished.returncode}:\n{finished.stderr[-2000:]}")


def unprivileged(command):
    """Both servers refuse to run as root, and `nobody` is the one account that every system has."""
    if os.getuid() != 0:
        return command
    group = str(pwd.getpwnam("nobody").pw_gid)
    return ["setpriv", "--reuid=nobody", f"--regid={group}", "--clear-groups", *command]


def program(name):
    """The path of a program; Debian keeps those of servers out of PATH."""
    places = [f"/usr/sbin/{name}", *sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)]
    found = shutil.which(name) or next((place for place in places if os.access(place, os.X_OK)), None)
    if found is None:
        raise CommandFailed(f"`{name}` is not installed")
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as each:
        return each.getsockname()[1]
