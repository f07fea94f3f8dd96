import path from 'node:path'
import type { Config } from '../config.ts'
import { type FileStore, folderStore } from './folder.ts'

/** The files of this installation. */
export const fileStore = ({
  filesDir,
  dataDir,
  fileTypesRefused,
}: Pick<Config, 'filesDir' | 'dataDir' | 'fileTypesRefused'>): FileStore =>
  folderStore(path.resolve(filesDir ?? path.join(dataDir, 'files')), new Set(fileTypesRefused))
