"""Makes folders of migrations that every tool compared here can read: pairs of plain SQL files."""

from pathlib import Path

PAYLOAD = "the quick brown fox jumps over the lazy dog; " * 11  # about 500 bytes a row

MIB = 1024 * 1024

# the sorts of folders, by what each migration makes
ROWS = "rows"
TABLES = "tables"

# the query that counts what a folder must have made
COUNTING = {
    ROWS: "SELECT count(*) FROM item",
    TABLES: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB 'item_[0-9]*'",
}


def make(folder, sort, count):
    """Makes a folder of one sort."""
    folder.mkdir(parents=True)
    {ROWS: rows, TABLES: tables}[sort](folder, count)


def rows(folder, count):
    """Migrations that each insert a row into one table, so that the schema stays as it is."""
    for number in range(1, count + 1):
        up = f"INSERT INTO item (id, name, payload) VALUES ({number}, 'row', '{PAYLOAD}');\n"
        down = f"DELETE FROM item WHERE id = {number};\n"
        if number == 1:
            up, down = table("item") + up, "DROP TABLE item;\n"
        write(folder, number, "insert_item", up, down)


def tables(folder, count):
    """Migrations that each make a table and insert a row, with the script that undoes it."""
    for number in range(1, count + 1):
        name = f"item_{number:05}"
        up = (
            table(name)
            + f"INSERT INTO {name} (id, name, payload) VALUES (1, 'row', '{PAYLOAD}');\n"
        )
        write(folder, number, f"create_{name}", up, f"DROP TABLE {name};\n")


def table(name):
    return (
        f"CREATE TABLE {name} (\n"
        "    id INTEGER PRIMARY KEY,\n"
        "    name TEXT NOT NULL,\n"
        "    payload TEXT NOT NULL\n"
        ");\n"
    )


def inserts(folder, size_mib):
    """One migration of so many MiB: a table and a long list of statements of about 100 bytes."""
    folder.mkdir(parents=True)
    path = folder / "1_load.up.sql"
    with path.open("w") as file:
        file.write("CREATE TABLE load (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount INTEGER);\n")
        statements = 1
        while file.tell() < size_mib * MIB:
            lines = []
            for _ in range(1000):
                lines.append(
                    f"INSERT INTO load (id, name, amount) VALUES ({statements:08}, "
                    f"'customer number {statements:08}', {statements * 7 % 1000:04});\n"
                )
                statements += 1
            file.write("".join(lines))
    (folder / "1_load.down.sql").write_text("DROP TABLE load;\n")
    return statements


def one_statement(folder, size_mib):
    """One migration whose second statement alone has so many MiB: a single INSERT of many rows."""
    folder.mkdir(parents=True)
    with (folder / "1_large.up.sql").open("w") as file:
        file.write("CREATE TABLE large (id INTEGER PRIMARY KEY, payload TEXT NOT NULL);\n")
        file.write("INSERT INTO large (id, payload) VALUES\n")
        row = 1
        file.write(f"({row}, '{PAYLOAD}')")
        while file.tell() < size_mib * MIB:
            rows = []
            for _ in range(1000):
                row += 1
                rows.append(f",\n({row}, '{PAYLOAD}')")
            file.write("".join(rows))
        file.write(";\n")
    (folder / "1_large.down.sql").write_text("DROP TABLE large;\n")
    return row


def write(folder, number, name, up, down):
    """Writes the two files of a pair."""
    stem = f"{number:05}_{name}"
    Path(folder, f"{stem}.up.sql").write_text(up)
    Path(folder, f"{stem}.down.sql").write_text(down)
