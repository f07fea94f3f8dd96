#!/usr/bin/env bash
# TypeScript 7.0.2 emits other code than it is given: where a class has an arrow function as a field and assigns a private
# field by `??=`, keys of object literals that have the name of the class are written as `_a`. 5.9.3 leaves them alone.
# Seen: `{"_a":1}` and `{"Box":1}` from the same source, without an error of the compiler. Fails where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm pkg set type=module >/dev/null
npm install --silent --no-audit --no-fund typescript@7.0.2 before@npm:typescript@5.9.3 >/dev/null
cat > box.ts <<'J'
export class Box {
  #opened: Promise<number> | undefined
  #size = 1
  #open() {
    this.#opened ??= Promise.resolve(1)
    return this.#opened
  }
  readonly open = () => this.#open()
  readonly #at = (key: string) => ({ Box: this.#size })
  text() { return JSON.stringify(this.#at('x')) }
}
J
seen=''
for compiler in typescript before; do
  node "node_modules/$compiler/bin/tsc" --target es2023 --module esnext box.ts
  seen="$seen$(node --input-type=module -e "import { Box } from './box.js'; console.log(new Box().text())") "
done
echo "$seen"
[ "$seen" = '{"_a":1} {"Box":1} ' ]
