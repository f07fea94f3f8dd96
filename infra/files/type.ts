import { fileTypeFromBuffer } from 'file-type'

/** The media type of a file by its first bytes: what clients say of it is not believed. */
export async function typeOf(head: Buffer): Promise<string> {
  const found = await fileTypeFromBuffer(head)
  if (found) return found.mime
  return isText(head) ? 'text/plain; charset=utf-8' : 'application/octet-stream'
}

/** Whether bytes are text in UTF-8; the last character may be cut. */
function isText(head: Buffer): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return !/\p{Cc}/u.test(text.replaceAll(/[\t\n\v\f\r]/g, ''))
  } catch {
    return false
  }
}
