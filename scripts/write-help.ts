/** Writes the texts of every `--help` beside the compiled CLI, as the last step of a build. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { program } from './program.ts'

/** Columns of a text that was not made for one terminal. */
const COLUMNS = 80

/** The text of every `--help`, by the words of its command, `kogi` first. */
export async function helpTexts(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  const collect = (command: Command, words: readonly string[]) => {
    let text = ''
    const writeOut = (part: string) => {
      text += part
    }
    command.configureOutput({ writeOut, getOutHelpWidth: () => COLUMNS, getOutHasColors: () => false })
    command.outputHelp()
    texts.set(words.join(' '), text)
    for (const verb of command.commands) collect(verb, [...words, verb.name()])
  }
  collect(await program(), ['kogi'])
  return texts
}

if (process.argv[1] === import.meta.filename) {
  const folder = new URL('help/', import.meta.url)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  for (const [words, text] of await helpTexts()) {
    await writeFile(new URL(`${words.replaceAll(' ', '.')}.txt`, folder), text)
  }
}
