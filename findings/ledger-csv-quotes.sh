#!/usr/bin/env bash
# `ledger csv` (3.3.0) escapes a quote as \" and a backslash not at all: a payee that holds quotes is no CSV as of RFC
# 4180 (Python reads it into other fields), and one that ends with a backslash swallows the end of its field. Use
# --csv-format with a separator of your own and without quoted(). Fails where that changes.
set -euo pipefail
command -v ledger >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends ledger; } >/dev/null
command -v python3 >/dev/null || apt-get install -y -qq --no-install-recommends python3 >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/a.journal" <<'J'
2026-01-01 The "Blue, Old" Inn
    expenses:food    1 EUR
    assets:cash

2026-01-02 C:\
    expenses:disk    2 EUR
    assets:cash
J
ledger --version | head -1
ledger --init-file /dev/null -f "$folder/a.journal" csv expenses | tee "$folder/out.csv"
grep -qF '"The \"Blue, Old\" Inn"' "$folder/out.csv"
grep -qF '"C:\","expenses:disk"' "$folder/out.csv"
fields=$(python3 -c 'import csv,sys; print(",".join(str(len(row)) for row in csv.reader(open(sys.argv[1]))))' "$folder/out.csv")
echo "fields of the two rows, as Python's csv reads them: $fields (8 were written)"
[ "$fields" != "8,8" ]
