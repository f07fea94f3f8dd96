/** Parts of items: who may change an item may change its book, its files, its place and its workspaces. */
import type { OtherThing, PartOf } from '../../kernel/context.ts'
import type { RecordState } from '../../record/record.ts'

/** What items refuse a change of a part with. */
const refusals = ['item_not_yours', 'item_archived']

/** A part whose items, or whose other things of a category, follow from its state and from the command. */
export const partBy = <S>(
  category: string,
  idsOf: (state: S, command: Readonly<Record<string, unknown>>, id: string) => readonly unknown[],
): PartOf<S> => ({
  of: (...given) =>
    [...new Set(idsOf(...given))].flatMap((id): OtherThing[] => (typeof id === 'string' ? [{ category, id }] : [])),
  refusals,
})

/** A plain thing that is a part of the thing which a field names, the one before a command and the one after it. */
export const partOfNamed = (field: string): PartOf<RecordState> =>
  partBy(field, (state, command) => [state.status === 'present' ? state.fields[field] : undefined, command[field]])
