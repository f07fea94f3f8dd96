#!/usr/bin/env bash
# autocannon 9.0.0, asked for a number of requests (`amount`), ends and takes its time only when it samples, each second
# by default: requests that are all answered in a fraction of a second get a `duration` of a whole one. Rates computed as
# amount / duration come in steps, and two servers that differ by half seem equally fast. With `sampleInt: 10` the
# duration is right to 10 ms. Fails where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund autocannon@9.0.0
cat > run.cjs <<'J'
const http = require('node:http')
const autocannon = require('autocannon')
let last
const server = http.createServer((_, response) => {
  last = performance.now()
  response.end('ok')
})
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`
  const run = async options => {
    const started = performance.now()
    const { duration } = await autocannon({ url, connections: 4, amount: 200, ...options })
    return { duration, seen: (last - started) / 1000 }
  }
  const plain = await run({})
  const sampled = await run({ sampleInt: 10 })
  console.log('by default:    duration', plain.duration, 's; last request after', plain.seen.toFixed(3), 's')
  console.log('sampleInt 10:  duration', sampled.duration, 's; last request after', sampled.seen.toFixed(3), 's')
  server.close()
  process.exit(plain.seen < 0.7 && plain.duration >= 0.99 && sampled.duration < 0.9 ? 0 : 1)
})
J
node run.cjs
