/** The documentation page: a frame that its script fills from `/openapi.json`. No other host is asked for anything. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kogi API</title>
<style>
:root { --ink: #1c2430; --soft: #5d6878; --line: #dfe4ea; --page: #f6f7f9; --card: #fff; --accent: #0b63ce;
  --GET: #0b63ce; --POST: #14804a; --PUT: #a15c07; --PATCH: #7a3fc0; --DELETE: #b3261e; color-scheme: light dark }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b4; --line: #2d3540; --page: #12161c;
  --card: #1a2028; --accent: #6cb0ff; --GET: #6cb0ff; --POST: #5fd08f; --PUT: #e5a54b; --PATCH: #bf94f5;
  --DELETE: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header { display: flex; gap: 16px; align-items: center; padding: 10px 20px; background: var(--card);
  border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1 }
header b { font-size: 17px; white-space: nowrap }
header input { flex: 1; min-width: 60px }
.columns { display: grid; grid-template-columns: 330px minmax(0, 1fr) }
nav { padding: 12px 8px 40px; border-right: 1px solid var(--line); height: calc(100vh - 55px); overflow: auto;
  position: sticky; top: 55px }
nav h2 { font-size: 13px; margin: 16px 10px 4px; color: var(--soft) }
nav a { display: flex; gap: 8px; padding: 4px 10px; border-radius: 6px; color: inherit; text-decoration: none }
nav a:hover, nav a.open { background: var(--line) }
nav a span { overflow-wrap: anywhere }
.method { font: 600 11px/22px ui-monospace, monospace; flex: 0 0 50px }
main { padding: 20px 28px 60px; max-width: 980px }
main h1 { font-size: 22px; margin: 0 0 4px } h3 { margin: 24px 0 8px; font-size: 15px }
code, pre, textarea, input { font: 13px/1.5 ui-monospace, monospace }
input, textarea, pre { width: 100%; padding: 7px 10px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--card); color: inherit }
pre { overflow: auto; margin: 0; max-height: 480px } textarea { resize: vertical }
label { display: grid; grid-template-columns: 190px 1fr; gap: 4px 12px; margin: 6px 0; align-items: center }
label small { grid-column: 2 } small, .soft { color: var(--soft) }
button { font: inherit; font-weight: 600; padding: 7px 22px; margin: 12px 0; border: 0; border-radius: 6px;
  background: var(--accent); color: var(--card); cursor: pointer }
table { border-collapse: collapse; width: 100% }
td { padding: 5px 10px 5px 0; border-top: 1px solid var(--line); vertical-align: top; white-space: pre-line }
@media (max-width: 760px) { .columns { grid-template-columns: 1fr }
  nav { position: static; height: auto; max-height: 40vh }
  label { grid-template-columns: 1fr } label small { grid-column: 1 } }
</style>
</head>
<body>
<header><b>Kogi API</b><input id="token" type="password" placeholder="token: kogi token --org … --subject … --role …"
  aria-label="token" autocomplete="off"><a href="/openapi.json">openapi.json</a></header>
<div class="columns"><nav id="list"></nav><main id="page">Loading…</main></div>
<script src="/docs/page.js"></script>
</body>
</html>
`

/** The page's script. Everything shown is set as text, never as markup. */
export const DOCS_SCRIPT = String.raw`'use strict'
const byId = id => document.getElementById(id)
function h(tag, attributes, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes || {})) element[name] = value
  element.append(...children.flat())
  return element
}
const method = name => {
  const tag = h('span', { className: 'method', textContent: name })
  tag.style.color = 'var(--' + name + ')'
  return tag
}

/** Text in which \`…\` is code. */
const words = text => text.split('\`').map((part, at) => (at % 2 ? h('code', { textContent: part }) : part))

fetch('/openapi.json')
  .then(answer => answer.json())
  .then(start)
  .catch(error => { byId('page').textContent = String(error) })

function start(api) {
  const token = byId('token')
  token.value = sessionStorage.getItem('kogi-token') || ''
  token.oninput = () => sessionStorage.setItem('kogi-token', token.value)
  const base = api.servers[0].url
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([name, operation]) => ({ ...operation, path, method: name.toUpperCase() })))
  operations.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const resolve = schema => schema && schema.$ref
    ? resolve(schema.$ref.slice(2).split('/').reduce((node, key) => node[key], api)) : schema
  const example = schema => exampleOf(resolve(schema), resolve)

  for (const tag of api.tags) {
    byId('list').append(h('h2', { textContent: tag.description || tag.name }))
    for (const { operationId, method: name, path, tags, summary } of operations) {
      if (tags[0] !== tag.name) continue
      const link = h('a', { href: '#' + operationId, title: summary }, method(name), h('span', { textContent: path }))
      byId('list').append(link)
    }
  }
  const show = () => {
    const wanted = decodeURIComponent(location.hash.slice(1))
    const operation = operations.find(({ operationId }) => operationId === wanted) || operations[0]
    for (const link of document.querySelectorAll('nav a')) {
      link.className = link.hash === '#' + operation.operationId ? 'open' : ''
    }
    byId('page').replaceChildren(...describe(operation))
    scrollTo(0, 0)
  }
  addEventListener('hashchange', show)
  show()

  function describe(operation) {
    const { path, summary, parameters = [], requestBody, responses } = operation
    const permission = operation['x-permission']
    const inputFor = ({ schema }) => h('input', { placeholder: hint(schema) })
    const fields = parameters.map(resolve).map(parameter => ({ ...parameter, input: inputFor(parameter) }))
    const bodySchema = requestBody && requestBody.content['application/json'].schema
    const body = bodySchema && h('textarea', { rows: 9, value: JSON.stringify(example(bodySchema), null, 2) })
    const output = h('div')
    const send = h('button', { textContent: 'Send' })
    send.onclick = () => request(operation, fields, body, output)
    const rows = Object.entries(responses).map(([status, response]) =>
      h('tr', {}, h('td', {}, h('b', { textContent: status })), h('td', {}, words(resolve(response).description))))
    const form = (title, schema) =>
      [h('h3', { textContent: title }), h('pre', { textContent: formOf(schema, resolve, '') })]
    const good = resolve(responses[200] || responses[201] || {})
    const answered = good.content && resolve(good.content['application/json'].schema)
    return [
      h('h1', { textContent: summary }),
      h('div', {}, method(operation.method), ' ', h('code', { textContent: base + path })),
      h('div', { className: 'soft', textContent: permission ? 'needs ' + permission : 'public' }),
      fields.length ? h('h3', { textContent: 'Parameters' }) : '',
      fields.map(({ name, in: place, description, input }) => h('label', {},
        h('span', {}, h('code', { textContent: name }), ' ', h('small', { textContent: place })),
        input, h('small', {}, words(description)))),
      body ? [h('h3', { textContent: 'Body' }), body] : '',
      send, output,
      body ? form('Form of the body', bodySchema) : '',
      answered ? form('Form of the answer', answered) : '',
      h('h3', { textContent: 'Answers' }), h('table', {}, rows),
    ].flat(2)
  }

  async function request({ method: name, path }, fields, body, output) {
    const headers = token.value ? { authorization: 'Bearer ' + token.value.trim() } : {}
    const query = new URLSearchParams()
    let target = path
    for (const { name: field, in: place, input } of fields) {
      if (place === 'path') target = target.replace('{' + field + '}', encodeURIComponent(input.value))
      else if (input.value === '') continue
      else if (place === 'query') query.append(field, input.value)
      else headers[field] = input.value
    }
    if (body) headers['content-type'] = 'application/json'
    const url = base + target + (query.size ? '?' + query : '')
    const start = performance.now()
    try {
      const answer = await fetch(url, { method: name, headers, body: body ? body.value : undefined })
      const text = await answer.text()
      const line = answer.status + ' ' + answer.statusText + ' in ' + Math.round(performance.now() - start) + ' ms'
      const seen = ['etag', 'kogi-position', 'location', 'retry-after'].filter(header => answer.headers.has(header))
      const shown = seen.map(header => header + ': ' + answer.headers.get(header)).join('\n')
      const content = [shown, pretty(text)].join('\n').trim()
      output.replaceChildren(h('b', { textContent: line }), h('pre', { textContent: content }))
    } catch (error) {
      output.replaceChildren(h('b', { textContent: String(error) }))
    }
  }
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2) } catch { return text }
}

function hint(schema) {
  if (schema.type === 'array') return hint(schema.items)
  return schema.default ?? schema.const ?? (schema.enum ? schema.enum.join(' | ') : schema.format ?? schema.type ?? '')
}

/** A body that has the required fields, filled in as far as the schema tells. */
function exampleOf(schema, resolve) {
  if ('default' in schema) return schema.default
  if ('const' in schema) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return exampleOf(resolve(schema.anyOf[0]), resolve)
  if (schema.type === 'array') return Array(schema.minItems || 1).fill(exampleOf(resolve(schema.items || {}), resolve))
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum > 0 ? schema.minimum : 0
  if (schema.type === 'boolean') return false
  if (schema.format === 'date') return new Date().toISOString().slice(0, 10)
  if (schema.format === 'date-time') return new Date().toISOString()
  if (/minor units/.test(schema.description || '')) return '1000'
  if (/currency|4217/.test(schema.description || '')) return 'EUR'
  if (schema.type === 'string') return 'text'
  const required = schema.required || []
  return Object.fromEntries(required.map(name => [name, exampleOf(resolve(schema.properties[name]), resolve)]))
}

/** A schema in the manner of a type: one line for a field, its meaning behind it. */
function formOf(given, resolve, indent) {
  const schema = resolve(given)
  if (schema.allOf) return schema.allOf.map(part => formOf(part, resolve, indent)).join(' & ')
  if (schema.anyOf) return schema.anyOf.map(part => formOf(part, resolve, indent)).join(' | ')
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ')
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.type === 'array') return formOf(schema.items || {}, resolve, indent) + '[]'
  if (!schema.properties) return schema.format || schema.type || 'any'
  const deeper = indent + '  '
  const lines = Object.entries(schema.properties).map(([name, property]) => {
    const optional = (schema.required || []).includes(name) ? '' : '?'
    const meaning = resolve(property).description
    return deeper + name + optional + ': ' + formOf(property, resolve, deeper) + (meaning ? '  // ' + meaning : '')
  })
  return '{\n' + lines.join('\n') + '\n' + indent + '}'
}
`
