/** The files of a bundle of some scripts for a folder; they are not written. */
export function bundle(
  folder: string,
  entries?: readonly string[],
): readonly { readonly path: string; readonly contents: Uint8Array }[]
