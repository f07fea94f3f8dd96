/**
 * What is asked of an organization by SOC 2 (the common criteria of the AICPA's Trust Services Criteria) and ISO/IEC
 * 27001:2022 (Annex A), as far as this system is about it, in our words. A control without evidence is a gap.
 */
import type { EvidenceName } from './evidence.ts'

export const FRAMEWORKS = ['soc2', 'iso27001'] as const

export type Control = {
  /** Framework and number: `soc2-cc6.1`, `iso27001-a.8.13`. */
  readonly id: string
  readonly framework: (typeof FRAMEWORKS)[number]
  readonly number: string
  readonly title: string
  readonly evidence: readonly EvidenceName[]
  /** What the system cannot show of it. */
  readonly gap?: string
}

type Line = readonly [number: string, title: string, evidence: readonly EvidenceName[], gap?: string]

const USERS =
  'Sign-ins that failed are not listed; where another identity provider keeps users, their roles are in its log.'
const SOFTWARE = 'How the software is built, tested and released is not in it: ask for the log of the repository.'
const INCIDENTS = 'Incidents and what was done about them are not recorded here.'

const SOC2: readonly Line[] = [
  ['CC1.4', 'People are hired, trained and judged for what they do', [], 'The system knows nothing of employment.'],
  ['CC3.2', 'Risks are found and weighed', [], 'Risks of projects are there, those of the organization are not.'],
  ['CC4.1', 'Controls are checked again and again', ['exports', 'sealing']],
  ['CC6.1', 'Only who may gets at data and systems', ['access_review', 'rights', 'refusals'], USERS],
  ['CC6.2', 'Users are registered before they get access, and removed after', [], USERS],
  ['CC6.3', 'Rights follow from duties, and are changed with them', ['rights', 'access_review'], USERS],
  ['CC6.4', 'Only who may enters buildings and rooms', [], 'The system knows nothing of buildings.'],
  ['CC6.5', 'Data that is needed no longer is destroyed', ['erasures', 'retention_rules', 'legal_holds']],
  ['CC6.6', 'Ways in and out are guarded', ['ways_out'], 'Firewalls and gateways are outside of the system.'],
  ['CC6.7', 'Data that leaves is known and protected', ['exports', 'ways_out']],
  ['CC6.8', 'Malicious software is kept out', [], 'Files are stored as they come, and are not scanned.'],
  ['CC7.1', 'Weak points are looked for', [], SOFTWARE],
  ['CC7.2', 'What is unusual is noticed', ['refusals', 'sensitive_reads']],
  ['CC7.3', 'What was noticed is judged', ['sealing'], INCIDENTS],
  ['CC7.4', 'Incidents are answered', [], INCIDENTS],
  ['CC7.5', 'What was lost is restored', ['operations']],
  ['CC8.1', 'Changes are approved before they are made', ['administration'], SOFTWARE],
  ['CC9.1', 'Interruptions are prepared for', ['operations']],
  ['CC9.2', 'Suppliers are watched', [], 'Suppliers and their contracts are not recorded here.'],
]

const ISO: readonly Line[] = [
  ['A.5.15', 'Access is granted by rules', ['access_review', 'rights']],
  ['A.5.16', 'Identities are managed from their beginning to their end', [], USERS],
  ['A.5.18', 'Rights are given, reviewed and taken away', ['access_review', 'rights']],
  ['A.5.19', 'Suppliers keep the rules', [], 'Suppliers and their contracts are not recorded here.'],
  ['A.5.24', 'Incidents are planned for', [], INCIDENTS],
  ['A.5.28', 'Evidence is collected so that it holds', ['exports', 'sealing', 'legal_holds']],
  ['A.5.33', 'Records are kept from loss, change and early removal', ['sealing', 'retention_rules', 'legal_holds']],
  [
    'A.5.34',
    'Personal data is protected as the law asks',
    ['consents', 'erasures', 'access_requests', 'sensitive_reads'],
  ],
  ['A.6.3', 'People are made aware and trained', [], 'The system knows nothing of trainings.'],
  ['A.7.1', 'Places are secured', [], 'The system knows nothing of places.'],
  ['A.8.2', 'Special rights are few, and their use is known', ['administration', 'rights'], USERS],
  ['A.8.3', 'Access to data is restricted', ['refusals', 'access_review']],
  ['A.8.5', 'Users sign in safely', [], `${USERS} Tokens that are refused are in the log lines of the processes.`],
  ['A.8.8', 'Weak points are mended', [], SOFTWARE],
  ['A.8.10', 'Data is deleted when it is needed no longer', ['erasures', 'retention_rules', 'legal_holds']],
  ['A.8.12', 'Data does not leak', ['exports', 'ways_out', 'sensitive_reads']],
  ['A.8.13', 'Backups are made, and tried', ['operations']],
  ['A.8.15', 'What happens is logged, and the log is protected', ['sealing', 'administration']],
  ['A.8.16', 'What is unusual is noticed', ['refusals', 'sensitive_reads']],
  ['A.8.24', 'Keys are managed', ['operations', 'erasures']],
  ['A.8.32', 'Changes are controlled', ['administration'], SOFTWARE],
]

const controlsOf = (framework: Control['framework'], lines: readonly Line[]): readonly Control[] =>
  lines.map(([number, title, evidence, gap]) => ({
    id: `${framework}-${number.toLowerCase()}`,
    framework,
    number,
    title,
    evidence,
    ...(gap !== undefined && { gap }),
  }))

export const controls: readonly Control[] = [...controlsOf('soc2', SOC2), ...controlsOf('iso27001', ISO)]
