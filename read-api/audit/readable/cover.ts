/** The cover of an export on paper: what it is, and the checkpoint that proves its events, as text and as a QR code. */
import { createRequire } from 'node:module'
import { correction, generate } from 'lean-qr'

const MARGIN = 56
const SIZE = 10
const CODE_POINTS = 230
const MISSING = '\uFFFD'
/** Bytes that a QR code can hold at its largest. */
const CODE_BYTES_MAX = 2_000

const require = createRequire(import.meta.url)

export type Cover = {
  readonly title: string
  readonly madeAt: string
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly checkpoint: string | null
}

/** One page of PDF, or two where the checkpoint is long. The same cover is the same bytes. */
export async function coverOf({ title, madeAt, facts, checkpoint }: Cover): Promise<Uint8Array> {
  const { default: Document } = await import('pdfkit')
  const date = new Date(madeAt)
  const document = new Document({
    size: 'A4',
    margin: MARGIN,
    font: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
    lang: 'en',
    tagged: true,
    subset: 'PDF/A-3b',
    pdfVersion: '1.7',
    info: { Title: title, Author: 'Kogi', Creator: 'Kogi', Producer: 'Kogi', CreationDate: date, ModDate: date },
  } as never)
  const chunks: Buffer[] = []
  document.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>((resolve, reject) => document.on('end', resolve).on('error', reject))
  const fonts = (document as unknown as Glyphs)._font.font
  const shown = (text: string) =>
    [...text]
      .map(letter => (letter === '\n' || fonts.hasGlyphForCodePoint(letter.codePointAt(0)!) ? letter : MISSING))
      .join('')
  document.fontSize(20).text(shown(title)).moveDown()
  document.fontSize(SIZE)
  for (const [name, value] of facts) document.text(shown(`${name}: ${value}`)).moveDown(0.3)
  document.moveDown()
  if (checkpoint === null) document.text('The log had no signed checkpoint when this export was made.')
  else {
    document.fontSize(13).text('The checkpoint of the log').moveDown(0.5)
    document.fontSize(8).text(shown(checkpoint)).moveDown()
    if (Buffer.byteLength(checkpoint) <= CODE_BYTES_MAX) draw(document, checkpoint)
  }
  document.end()
  await ended
  return Buffer.concat(chunks)
}

type Glyphs = { readonly _font: { readonly font: { readonly hasGlyphForCodePoint: (code: number) => boolean } } }

/** Draws a text as a QR code (ISO/IEC 18004) at the left, on a new page where this one has no room. */
function draw(document: PDFKit.PDFDocument, text: string): void {
  const code = generate(text, { minCorrectionLevel: correction.L })
  if (document.y + CODE_POINTS > document.page.height - MARGIN) document.addPage()
  const [left, top, module] = [MARGIN, document.y, CODE_POINTS / code.size]
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (code.get(x, y)) document.rect(left + x * module, top + y * module, module, module)
    }
  }
  document.fill('black')
}
