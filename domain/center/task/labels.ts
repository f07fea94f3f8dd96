/** Labels as a text with blanks between; one with blanks or quote marks is in quotes: `"in print" poster`. */

/** What is longer in quotes is no label: it is taken word by word, and refused as such. */
const LABEL = /"((?:[^"]|""){0,1000})"(?=\s|$)|(\S+)/g

export const labelsText = (labels: readonly string[]): string =>
  labels.map(label => (/[\s"]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label)).join(' ')

export const labelsOf = (text: string): readonly string[] =>
  Array.from(text.matchAll(LABEL), ([, quoted, plain]) => plain ?? quoted!.replaceAll('""', '"'))
