#!/usr/bin/env bash
# A bank's CSV often has lines of free text above its table, and readers have an option to pass over so many lines. In
# csv-parse 7.0.3 (`from_line`) a quote mark at the beginning of a field up there opens a quoted field all the same: the
# file is refused, or lines of the table are swallowed with it. PapaParse 5.5.3 (`skipFirstNLines`) cuts the lines off
# before it looks for quotes. The same statement has two rows in one and is an error in the other. Seen:
# csv-parse CSV_QUOTE_NOT_CLOSED, PapaParse 2 rows. Fails where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund csv-parse@7.0.3 papaparse@5.5.3 >/dev/null
cat > read.mjs <<'J'
import { parse } from 'csv-parse/sync'
import Papa from 'papaparse'

const statement = 'Account 1,"current\nMarch\ndate,amount\n2026-03-01,5\n'
let strict
try {
  strict = `${parse(statement, { from_line: 3, relax_column_count: true }).length} rows`
} catch (error) {
  strict = error.code
}
const cut = Papa.parse(statement, { skipFirstNLines: 2, skipEmptyLines: true })
console.log(`csv-parse ${strict}, PapaParse ${cut.data.length} rows`)
J
seen=$(node read.mjs)
echo "$seen"
[ "$seen" = 'csv-parse CSV_QUOTE_NOT_CLOSED, PapaParse 2 rows' ]
