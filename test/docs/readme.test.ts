import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { withSettings } from '../../scripts/settings.ts'

describe('the README', () => {
  it('has the settings that the code has', async () => {
    const text = await readFile('README.md', 'utf8')
    expect(text).to.include('| `KOGI_DATA_DIR` |')
    expect(text, 'run: node --import tsx scripts/settings.ts').to.equal(withSettings(text))
  })
})
