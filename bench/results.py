"""What was measured, as a table on the terminal and as the page that is kept."""

import datetime
import os
import platform
import sys
from dataclasses import dataclass, field

from measure import median

TARGETS = {
    "`up` with nothing to do": 1.0,
    "`status`, head remembered": 1.0,
}

LARGE_MIB = 300


@dataclass
class Report:
    """Figures in the order in which they were taken."""

    versions: list
    absent: list
    reads: int
    folder_size: int = 0
    colds: list = field(default_factory=list)
    commands: list = field(default_factory=list)
    larges: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def cold(self, sort, count, tool, runs, versus):
        seconds = median([run.seconds for run in runs])
        cpu_seconds = median([run.cpu_seconds for run in runs])
        self.colds.append((sort, count, tool, len(runs), seconds, cpu_seconds, versus))

    def command(self, what, runs):
        seconds = median([run.seconds for run in runs])
        peak = max(run.peak_mib for run in runs)
        self.commands.append((what, seconds, peak))

    def large(self, what, tool, run):
        self.larges.append((what, tool, run))

    def note(self, text):
        self.notes.append(text)

    def as_text(self):
        return "\n\n".join(
            f"{title}\n{aligned(rows)}" for title, _, rows in self.tables()
        ) + "".join(f"\n{note}" for note in (*self.absent, *self.notes))

    def as_markdown(self):
        parts = [INTRODUCTION, self.machine()]
        for title, words, rows in self.tables():
            parts.append(f"## {title}\n\n{words}\n\n{markdown(rows)}")
        for note in (*self.absent, *self.notes):
            parts.append(f"- {note}")
        return "\n\n".join(parts) + "\n"

    def machine(self):
        versions = ", ".join(self.versions)
        return (
            f"Measured on {datetime.date.today()}: {versions}; {os.cpu_count()} cores, "
            f"{platform.machine()}, {platform.system()} {platform.release().split('-')[0]}, "
            f"Python {sys.version.split()[0]}. Figures are medians; where tools are compared, they "
            "take turns within each round, and the ratio is the median of the rounds' own ratios. The "
            "smallest peaks are those of the Python that starts the process."
        )

    def tables(self):
        yield (
            "A whole folder on a new database",
            COLD_WORDS,
            self.cold_rows(),
        )
        yield (
            f"Commands on {self.folder_size:,} applied migrations",
            "Each is a process of its own, which reads every file and hashes every event. Medians of "
            f"{self.reads} runs.",
            [
                ["command", "seconds", "target", "peak MiB"],
                *(
                    [
                        what,
                        f"{seconds:.3f}",
                        f"< {TARGETS[what]:g}" if what in TARGETS else "",
                        f"{peak:.0f}",
                    ]
                    for what, seconds, peak in self.commands
                ),
            ],
        )
        yield (
            "Very large files",
            f"The target for the long script is a peak below {LARGE_MIB} MiB. Lines of progress are "
            "counted on stderr, which is no terminal here: there is one every 30 seconds.",
            self.large_rows(),
        )

    def cold_rows(self):
        first = {}
        rows = [
            ["migrations", "tool", "rounds", "seconds", "ms each", "CPU ms each", "growth", "mledger / tool"]
        ]
        for sort, count, tool, rounds, seconds, cpu_seconds, versus in self.colds:
            cpu_each = cpu_seconds * 1000 / count
            grown = cpu_each / first.setdefault((sort, tool), cpu_each)
            rows.append(
                [
                    f"{count:,} {sort}",
                    tool,
                    str(rounds),
                    f"{seconds:.2f}",
                    f"{seconds * 1000 / count:.2f}",
                    f"{cpu_each:.2f}",
                    f"{grown:.2f}",
                    "" if versus is None else f"{versus:.2f}",
                ]
            )
        return rows

    def large_rows(self):
        rows = [["file", "tool", "seconds", "CPU seconds", "peak MiB", "progress lines"]]
        for what, tool, run in self.larges:
            lines = sum("statement" in line for line in run.stderr.splitlines())
            rows.append(
                [
                    what,
                    tool,
                    f"{run.seconds:.1f}",
                    f"{run.cpu_seconds:.1f}",
                    f"{run.peak_mib:.0f}",
                    str(lines) if tool == "mledger" else "",
                ]
            )
        return rows


def aligned(rows):
    """Columns of equal width; the first is text, numbers stand to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    )


def markdown(rows):
    head, *body = rows
    lines = [line(head), line(["---"] + ["---:"] * (len(head) - 1))]
    return "\n".join(lines + [line(row) for row in body])


def line(cells):
    return f"| {' | '.join(cells)} |"


INTRODUCTION = """# Speed and memory

Written by `bench/run`, which anybody can repeat: it needs cargo, Python 3 and, to compare with,
`sqlite3` and `sqlx` (`bench/run --with-peers` builds the latter). Absolute times are those of one
machine and its disk on one day, so compare the ratios."""

COLD_WORDS = """Each migration inserts a row of 500 bytes, into one table (rows) or into a new one
(tables). All tools commit once a migration or more often, with SQLite's `synchronous = FULL` in WAL mode;
mledger also records, hashes and signs. `sqlite3` is SQLite's own shell with a `BEGIN` and `COMMIT` around
each file and no record of anything. Growth is the CPU time of one migration relative to that in the
smallest folder, start of the program included. Where each migration makes a table it grows for all of
them: SQLite's own `CREATE TABLE` reads the catalogue through."""
