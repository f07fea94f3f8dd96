import { Command } from 'commander'
import { issueToken } from '../infra/auth/dev-keys.ts'
import { STATUS } from './failing.ts'
import { configFrom } from './serve.ts'

type Options = { org: string; subject: string; role: string[]; team?: string[]; ttl: string; data?: string }

/** `kogi token`: prints a development token and nothing else. */
export const tokenCommand = () =>
  new Command('token')
    .description('print a development token, and nothing else')
    .requiredOption('--org <id>', 'organization the token acts in (org_id)')
    .requiredOption('--subject <id>', 'who acts (sub)')
    .requiredOption('--role <name...>', 'role, or several: organization-admin, team-member, viewer, auditor …')
    .option('--team <name...>', 'team of the subject, or several (groups)')
    .option('--ttl <seconds>', 'how long it is valid', '86400')
    .option('--data <folder>', 'folder with the development key (KOGI_DATA_DIR)')
    .addHelpText('after', '\nExample:\n  $ kogi token --org acme --subject mira --role organization-admin')
    .action(async ({ org, subject, role, team = [], ttl, data }: Options, command: Command) => {
      const ttlSeconds = Number(ttl)
      if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > 31_536_000) {
        command.error('error: --ttl is a whole number of seconds, a year at most', { exitCode: STATUS.usage })
      }
      const config = configFrom(data === undefined ? {} : { data })
      process.stdout.write(`${await issueToken(config, { org, subject, roles: role, teams: team, ttlSeconds })}\n`)
    })
