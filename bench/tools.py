"""The tools that are measured, each as the command lines that do the same work."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import run


class Mledger:
    """The program itself, with a home of its own, so that no key or head of the user is touched."""

    name = "mledger"

    def __init__(self, binary, home):
        self.binary = str(binary)
        self.home = home

    def environment(self, home=None):
        home = home or self.home
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_DATA_HOME": str(home / "data"),
            "NO_COLOR": "1",
        }

    def command(self, database, migrations, *words, state=None):
        """Runs one command; `state` is where heads are remembered, if not in the home."""
        return run(
            [self.binary, "-d", f"sqlite:{database}", "-m", str(migrations), "--json", *words],
            environment=self.environment(state),
            folder=self.home,
        )

    def apply(self, database, migrations):
        return self.command(database, migrations, "up")

    def bare(self, *words):
        """Runs a command that looks at no database."""
        return run([self.binary, *words], environment=self.environment(), folder=self.home)

    def version(self):
        return self.bare("--version").stdout.strip()


class Shell:
    """SQLite's own shell: the least that the same statements and commits can cost."""

    name = "sqlite3"

    def __init__(self, scratch):
        self.scratch = scratch

    def apply(self, database, migrations):
        script = self.scratch / "shell.sql"
        with script.open("w") as file:
            file.write("PRAGMA journal_mode = WAL;\nPRAGMA synchronous = FULL;\n.bail on\n")
            for path in sorted(Path(migrations).glob("*.up.sql")):
                file.write(f"BEGIN IMMEDIATE;\n.read '{path}'\nCOMMIT;\n")
        with script.open("rb") as stdin:
            return run(["sqlite3", str(database)], stdin=stdin)

    def version(self):
        return "sqlite3 " + run(["sqlite3", "--version"]).stdout.split()[0]


class Sqlx:
    """sqlx-cli, the migrator that the driver's own project publishes."""

    name = "sqlx"

    def __init__(self, binary):
        self.binary = str(binary)

    def apply(self, database, migrations):
        # the file is made first, with the settings that `sqlx database create` gives it
        run([self.binary, "database", "create", "--database-url", f"sqlite://{database}"])
        return run(
            [
                self.binary,
                "migrate",
                "run",
                "--source",
                str(migrations),
                "--database-url",
                f"sqlite://{database}",
            ]
        )

    def version(self):
        return run([self.binary, "--version"]).stdout.strip()


def peers(scratch, install):
    """Returns the other tools that are here, and a line for each that is not."""
    found, absent = [], []
    if shutil.which("sqlite3"):
        found.append(Shell(scratch))
    else:
        absent.append("sqlite3: not installed, so there is nothing to compare with (`apt-get install sqlite3`)")
    sqlx = shutil.which("sqlx")
    if sqlx is None and install:
        sqlx = install_sqlx()
    if sqlx is None:
        absent.append("sqlx: not installed; `--with-peers` builds it, which takes some minutes")
    else:
        found.append(Sqlx(sqlx))
    return found, absent


def install_sqlx():
    """Builds sqlx-cli into a folder that later runs find again; returns the program."""
    root = Path(tempfile.gettempdir()) / "mledger-bench-peers"
    binary = root / "bin" / "sqlx"
    if not binary.exists():
        subprocess.run(
            [
                "cargo",
                "install",
                "sqlx-cli",
                "--no-default-features",
                "--features",
                "sqlite,rustls",
                "--root",
                str(root),
            ],
            check=True,
        )
    return binary
