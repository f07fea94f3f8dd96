#!/usr/bin/env bash
# A balance assignment after a posting with a later date of its own: hledger 1.25 leaves that posting out, because it
# computes by the dates of postings; ledger 3.3.0 counts it, because it computes in the order of the file. The same valid
# text books another amount in each. Seen: hledger 100, ledger 150. Fails where that changes.
set -euo pipefail
for program in hledger ledger; do
  command -v "$program" >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$program"; } >/dev/null
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/a.journal" <<'J'
2026-02-01 Card
    assets:bank      -50 EUR  ; [2026-02-10]
    expenses:food     50 EUR

2026-02-03 Counted
    assets:bank      = 100 EUR
    equity
J
hledger --version
ledger --version | head -1
h=$(hledger -f "$folder/a.journal" print -x -O csv | grep '"Counted"' | grep '"assets:bank"' | cut -d, -f9 | tr -d '"')
l=$(ledger --init-file /dev/null -f "$folder/a.journal" reg --format "%(payee)|%(account)|%(quantity(amount))\n" | grep "^Counted|assets:bank" | cut -d"|" -f3)
echo "assigned: hledger $h, ledger $l"
[ "$h" = 100 ] && [ "$l" = 150 ]
