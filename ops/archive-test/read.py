"""Reads an object of the archive with DuckDB, Polars and ClickHouse, as it is.

All three must find the rows that expected.json tells, with the leaf of each event from its bytes and
each chain from the one before, from the beginning of the stream. Then the queries of
docs/operations/archive.md run as they stand there, and must have one answer.

    cargo run -p matchwire-archive --example write -- DIR
    pip install duckdb polars chdb-core
    python ops/archive-test/read.py DIR
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path

import chdb
import duckdb
import polars

FILE = "archive/example.parquet"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/operations/archive.md"
COLUMNS = ["subject", "seq", "recordedtime", "type", "source", "id", "time", "position", "fingerprint", "chain", "leaf"]


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def found(rows):
    """Rows as expected.json has them, of tuples with the chain and the event in bytes."""
    named = []
    for *row, chain, event in rows:
        event = event.encode() if isinstance(event, str) else event
        chain = None if chain is None else chain.hex()
        named.append(dict(zip(COLUMNS, [*row, chain, sha(event).hex()], strict=True)))
    return named


def with_duckdb():
    types = dict(duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{FILE}')").fetchall())
    assert types["seq"] == types["position"] == types["fingerprint"] == "UBIGINT", types
    assert types["recordedtime"] == types["time"] == "TIMESTAMP WITH TIME ZONE", types
    assert types["subject"] == types["event"] == "VARCHAR" and types["chain"] == "BLOB", types
    rows = duckdb.sql(
        f"""SELECT subject, seq, epoch_ms(recordedtime), type, source, id, epoch_ms(time), position,
            fingerprint, chain, encode(event) FROM '{FILE}'"""
    )
    return found(rows.fetchall())


def with_polars():
    frame = polars.read_parquet(FILE)
    schema = frame.schema
    moment = polars.Datetime("ms", "UTC")
    assert schema["seq"] == schema["position"] == schema["fingerprint"] == polars.UInt64, schema
    assert schema["recordedtime"] == schema["time"] == moment, schema
    assert schema["subject"] == schema["event"] == polars.String and schema["chain"] == polars.Binary, schema
    return found(frame.with_columns(polars.col("recordedtime", "time").dt.epoch("ms")).iter_rows())


def with_clickhouse():
    described = chdb.query(f"DESCRIBE file('{FILE}')", "JSON")
    types = {column["name"]: column["type"] for column in json.loads(str(described))["data"]}
    bare = {name: re.sub(r"^Nullable\((.*)\)$", r"\1", kind) for name, kind in types.items()}
    assert bare["seq"] == bare["position"] == bare["fingerprint"] == "UInt64", types
    assert bare["recordedtime"] == bare["time"] == "DateTime64(3, 'UTC')", types
    assert bare["subject"] == bare["event"] == "String" and bare["chain"] == "FixedString(32)", types
    rows = chdb.query(
        f"""SELECT subject, seq, toUnixTimestamp64Milli(recordedtime), type, source, id,
            toUnixTimestamp64Milli(time), position, fingerprint, hex(chain), hex(event)
            FROM file('{FILE}') ORDER BY subject, seq
            SETTINGS output_format_json_quote_64bit_integers = 0""",
        "JSONCompactEachRow",
    )
    for *row, chain, event in map(json.loads, str(rows).splitlines()):
        yield *row, None if chain is None else bytes.fromhex(chain), bytes.fromhex(event)


def check_chains(rows, log_id):
    """Computes each chain from the beginning of its stream, as docs/proof.md says."""
    chains, compared = {}, 0
    for row in rows:
        subject = row["subject"]
        chain = chains.get(subject) or sha(f"matchwire/1\n{log_id}\n{subject}".encode())
        numbers = [row[name].to_bytes(8, "big") for name in ("seq", "recordedtime")]
        chains[subject] = sha(chain, *numbers, bytes.fromhex(row["leaf"]))
        if row["chain"] is not None:
            assert chains[subject].hex() == row["chain"], f"{subject} {row['seq']}: another chain"
            compared += 1
    assert compared >= len(chains) > 0
    return compared


def check_metadata(expected):
    said = duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{FILE}')")
    said = dict(said.fetchall())
    assert said["matchwire.log_id"] == expected["log_id"], said
    assert said["matchwire.version"] == "1" and said["matchwire.first_position"] == "1", said
    assert said["matchwire.last_position"] == str(expected["last_position"]), said
    assert len(said["matchwire.crc32c"]) == 8 * expected["groups"], said
    columns = duckdb.sql(
        f"""SELECT path_in_schema, count(*), count(stats_min_value), count(stats_max_value)
            FROM parquet_metadata('{FILE}') GROUP BY ALL"""
    ).fetchall()
    for name, groups, least, most in columns:
        has = groups if name in ("subject", "seq", "recordedtime") else 0
        assert groups == expected["groups"] and least == most == has, (name, groups, least, most)


def check_document():
    """Runs the queries of the document, each by what it names in its first line."""
    blocks = re.findall(r"```(?:sql|python)\n(?:--|#) (\w+)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    queries = dict(blocks)
    assert sorted(queries) == ["ClickHouse", "DuckDB", "Polars"], sorted(queries)
    names = {}
    exec(queries["Polars"], names)
    clickhouse = str(chdb.query(queries["ClickHouse"], "JSONCompactEachRow")).splitlines()
    answers = {
        "DuckDB": duckdb.sql(queries["DuckDB"]).fetchall(),
        "Polars": names["kills"].rows(),
        "ClickHouse": [tuple(map(int_or_text, json.loads(line))) for line in clickhouse],
    }
    first = answers["DuckDB"]
    assert first and all(answer == first for answer in answers.values()), answers
    return first


def int_or_text(value):
    return int(value) if str(value).isdigit() else value


def main():
    os.chdir(sys.argv[1])
    expected = json.loads(Path("expected.json").read_text())
    assert Path(FILE).stat().st_size == expected["bytes"]
    for name, rows in [
        ("DuckDB", with_duckdb()),
        ("Polars", with_polars()),
        ("ClickHouse", found(with_clickhouse())),
    ]:
        assert len(rows) == len(expected["rows"]), (name, len(rows))
        for row, right in zip(rows, expected["rows"], strict=True):
            assert row == right, (name, row, right)
        chains = check_chains(rows, expected["log_id"])
        print(f"{name}: {len(rows)} rows, leaves and {chains} chains are right")
    check_metadata(expected)
    print("the queries of the document:", check_document())


main()
