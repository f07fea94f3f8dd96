let second = Number.NaN
let beginning = ''

/** The instant, as `timestamp`. What stays the same for a second is written once a second. */
export function timestampNow(): string {
  const now = Date.now()
  const at = Math.floor(now / 1000)
  if (at !== second) {
    second = at
    beginning = new Date(at * 1000).toISOString().slice(0, -4)
  }
  return `${beginning}${String(now - at * 1000).padStart(3, '0')}Z`
}
