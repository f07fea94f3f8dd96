/** The version of Kogi, as `kogi --version` prints it and a backup records it. */
export const VERSION = '0.1.0'
