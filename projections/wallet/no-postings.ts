/** Events of a wallet that post nothing: models that are made of postings leave all of them as they are. */
export const NO_POSTINGS = {
  WalletOpened: null,
  AccountOpened: null,
  FundsHeld: null,
  HoldCaptured: null,
  HoldReleased: null,
  WalletChanged: null,
  AccountOverdraftChanged: null,
  AccountChanged: null,
  AccountFrozen: null,
  AccountUnfrozen: null,
  AccountClosed: null,
  AccountReopened: null,
  ChartSet: null,
  WalletFrozen: null,
  WalletUnfrozen: null,
  WalletClosed: null,
} as const
