/**
 * A digest of a text, with which a state tells whether a text is the one that it had, without keeping it: 106 bits of
 * two mixing hashes (after cyrb53). It proves nothing: two texts can be made that have the same one.
 */
export const digestOf = (text: string): string => mixed(text, 0x9e37_79b9) + mixed(text, 0x85eb_ca6b)

function mixed(text: string, seed: number): string {
  let a = 0xdead_beef ^ seed
  let b = 0x41c6_ce57 ^ seed
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    a = Math.imul(a ^ unit, 0x9e37_79b1)
    b = Math.imul(b ^ unit, 0x5f35_6495)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85eb_ca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2_ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85eb_ca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2_ae35)
  return (0x1_0000_0000 * (0x1f_ffff & b) + (a >>> 0)).toString(36).padStart(11, '0')
}

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  let bytes = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    bytes += unit < 0x80 ? 1 : unit < 0x8_00 || (unit >= 0xd8_00 && unit < 0xe0_00) ? 2 : 3
  }
  return bytes
}
