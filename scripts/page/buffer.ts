/** Node's bytes, for browsers. */
export { Buffer } from 'buffer/index.js'
