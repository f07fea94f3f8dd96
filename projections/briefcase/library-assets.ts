import { messages } from '../../domain/briefcase/libraryasset/messages.ts'
import { recordModel } from '../rows/record-model.ts'

export const libraryAssets = recordModel(messages, {
  service: 'briefcase',
  name: 'library_assets',
  filters: ['library', 'asset_type', 'name'],
  memory: { title: 'name' },
})
