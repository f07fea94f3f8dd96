/** The page that shows the OpenAPI documents with Swagger UI, whose files are served beside it. */

/** A document that the page offers: its address and what people call it. */
export type Shown = { readonly url: string; readonly name: string }

export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kogi API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<div id="viewer">Loading…</div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
`

/**
 * Starts the viewer. It asks no validator of another host. A token is kept for as long as the page is open, also where
 * another document is chosen, which by itself would forget it.
 */
export const docsScript = (documents: readonly Shown[]): string => `'use strict'
SwaggerUIBundle({
  urls: ${JSON.stringify(documents)},
  dom_id: '#viewer',
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [() => ({ statePlugins: { auth: { wrapActions: { restoreAuthorization: () => () => {} } } } })],
  layout: 'StandaloneLayout',
  validatorUrl: null,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  showExtensions: true,
  tryItOutEnabled: true,
})
`

/** What the viewer leaves wide on a small screen: its tables are shown cell below cell there, and texts may break. */
export const DOCS_STYLE = `body { margin: 0 }
.swagger-ui .topbar .link { display: none }
@media (max-width: 640px) {
  .swagger-ui .wrapper, .swagger-ui .opblock-body, .swagger-ui .opblock-section-header { padding: 0 8px }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100% }
  .swagger-ui .parameters-container table, .swagger-ui .responses-table { table-layout: fixed }
  .swagger-ui table thead { display: none }
  .swagger-ui table tbody tr, .swagger-ui table tbody tr td { display: block; width: auto; max-width: 100% }
  .swagger-ui table tbody tr td { padding: 4px 0 }
  .swagger-ui .parameters-col_description input, .swagger-ui .parameters-col_description select,
  .swagger-ui .parameters-col_description textarea { width: 100%; max-width: 100%; min-width: 0 }
  .swagger-ui .response-col_description, .swagger-ui .markdown p, .swagger-ui code { overflow-wrap: anywhere }
  .swagger-ui .opblock-body pre.microlight, .swagger-ui .highlight-code { max-width: calc(100vw - 48px) }
  .swagger-ui .dialog-ux .modal-ux { width: calc(100vw - 24px); min-width: 0 }
}
`
