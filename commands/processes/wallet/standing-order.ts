/** Requests the transfers of a standing order. */
import { events } from '../../../domain/wallet/standingorder/messages.ts'
import { standingOrder } from '../../../domain/wallet/standingorder/standingorder.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { process, step } from '../process.ts'

export const standingOrderProcess = process({
  name: 'standing-order',
  of: { standingorder: events },
  on: {
    StandingOrderOpened: null,
    StandingOrderFired({ data, metadata: { id } }) {
      const { fromAccount: from_account, toAccount: to_account, due: _, next: __, transfer: name, ...movement } = data
      return [
        step(transfer, 'request', name, { ...movement, from_account, to_account }, ({ code, message }) =>
          step(standingOrder, 'recordRefusal', id, {
            transfer: name,
            code: code.slice(0, 64),
            reason: message.slice(0, 1000),
          }),
        ),
      ]
    },
    StandingOrderRefused: null,
    StandingOrderCancelled: null,
  },
})
