/** Certificates for a node that speaks TLS. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Makes a folder with an authority (`ca.pem`) and the key and certificate of `localhost` that it signed (`node.key`,
 * `node.pem`); `undefined` where there is no openssl command to make them with.
 */
export async function certificates(): Promise<string | undefined> {
  try {
    execFileSync('openssl', ['version'])
  } catch {
    console.warn('TLS is not tested: there is no openssl command to make a certificate')
    return undefined
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-test-tls-'))
  const file = (name: string) => path.join(folder, name)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = ['-x509', '-subj', '/CN=authority', '-keyout', file('ca.key'), '-out', file('ca.pem')]
  await run('openssl', ['req', ...curve, ...authority, '-addext', 'keyUsage=critical,keyCertSign'])
  const wish = ['-subj', '/CN=node', '-keyout', file('node.key'), '-out', file('node.csr')]
  await run('openssl', ['req', ...curve, ...wish])
  await writeFile(file('node.ext'), 'subjectAltName=DNS:localhost\n')
  const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('node.ext')]
  await run('openssl', ['x509', '-req', '-in', file('node.csr'), '-out', file('node.pem'), ...signer])
  return folder
}
