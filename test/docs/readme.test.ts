import { readFile } from 'node:fs/promises'
import { assert } from 'chai'
import { withSettings } from '../../scripts/settings.ts'

describe('the README', () => {
  it('has the settings that the code has', async () => {
    const text = await readFile('README.md', 'utf8')
    assert.include(text, '| `KOGI_DATA_DIR` |')
    assert.equal(text, withSettings(text), 'run: node --import tsx scripts/settings.ts')
  })
})
