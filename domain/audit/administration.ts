/** Which events are administration: they change who may do what, the rules of money, ways out, or personal data. */

/** Event types by what they are about: add, and raise no version, for rows are chosen as they are read. */
export const administration = {
  rights: [
    'AccessGranted',
    'AccessRevoked',
    'ItemShared',
    'ItemUnshared',
    'ItemEditingSet',
    'ItemPrivacySet',
    'MemoryShared',
    'MemoryUnshared',
    'MemoryPrivacySet',
  ],
  money: [
    'TransferRulesSet',
    'AccountOverdraftChanged',
    'ChartSet',
    'WalletFrozen',
    'WalletUnfrozen',
    'WalletClosed',
    'AccountFrozen',
    'AccountUnfrozen',
    'AccountClosed',
    'AccountReopened',
    'AccountLinkAdded',
    'AccountLinkChanged',
    'AccountLinkRemoved',
    'ImportUndoStarted',
    'ReconciliationReopened',
  ],
  ways_out: [
    'WebhookRegistered',
    'WebhookChanged',
    'WebhookSecretRotated',
    'WebhookPaused',
    'WebhookResumed',
    'WebhookDisabled',
    'WebhookReplayAsked',
    'WebhookRemoved',
    'ExportRequested',
    'ExportRemoved',
  ],
  personal_data: [
    'SubjectErased',
    'ErasureCompleted',
    'SealedFieldsDisclosed',
    'LegalHoldPlaced',
    'LegalHoldLifted',
    'RetentionRuleAdded',
    'RetentionRuleChanged',
    'RetentionRuleRemoved',
    'MemoryForgotten',
    'MemoryExpired',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** All of them. */
export const administrationTypes: readonly string[] = Object.values(administration).flat()
