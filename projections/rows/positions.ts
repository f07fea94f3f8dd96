/** The least of some positions, `0n` of none. */
export function least(positions: Iterable<bigint>): bigint {
  let found: bigint | undefined
  for (const position of positions) if (found === undefined || position < found) found = position
  return found ?? 0n
}

/** The greatest of some positions, `0n` of none. */
export function greatest(positions: Iterable<bigint>): bigint {
  let found = 0n
  for (const position of positions) if (position > found) found = position
  return found
}
