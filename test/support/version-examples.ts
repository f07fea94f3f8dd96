/** A thing of each service whose versions the examples of the OpenAPI document can name. */
const named = (category: string) => async (parameter: string) => (parameter === 'category' ? category : `${category}-1`)

export const versionExamples = {
  listVersions: named('page'),
  restoreVersion: named('page'),
  listBriefcaseVersions: named('library'),
  restoreBriefcaseVersion: named('library'),
}
