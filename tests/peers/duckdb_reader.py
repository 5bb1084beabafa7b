"""What DuckDB makes of a folder of Parquet files.

Usage: duckdb_reader.py FOLDER

Prints one JSON object: by table `columns`, from name to type, and `rows`, all of them as objects; and
under `answers by uid` what a join says that operators ask: from uid to how often each was asked and the
sum of its rewards in the steps of the table `steps`.
"""

import json
import pathlib
import sys

import duckdb

BY_UID = """
    SELECT uid, count(*), sum(reward)
    FROM answers JOIN steps USING (run_id, seq)
    GROUP BY uid ORDER BY uid
"""


def main() -> None:
    database = duckdb.connect()
    told = {}
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*.parquet")):
        path = str(file).replace("'", "''")
        database.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_parquet('{path}')")
        read = database.execute(f"SELECT * FROM {file.stem} ORDER BY run_id, seq")
        columns = {column[0]: str(column[1]) for column in read.description}
        rows = [dict(zip(columns, row)) for row in read.fetchall()]
        told[file.stem] = {"columns": columns, "rows": rows}
    by_uid = database.execute(BY_UID).fetchall()
    told["answers by uid"] = {uid: [asked, reward] for uid, asked, reward in by_uid}
    print(json.dumps(told))


main()
