/** Labels as a text with blanks between; one with blanks or quote marks is in quotes: `"in print" poster`. */

const LABEL = /"((?:[^"]|"")*)"(?=\s|$)|(\S+)/g

export const labelsText = (labels: readonly string[]): string =>
  labels.map(label => (/[\s"]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label)).join(' ')

export const labelsOf = (text: string): readonly string[] =>
  Array.from(text.matchAll(LABEL), ([, quoted, plain]) => plain ?? quoted!.replaceAll('""', '"'))
