/** Requests the transfers of a standing order. */
import { events } from '../../../domain/wallet/standingorder/messages.ts'
import { standingOrder } from '../../../domain/wallet/standingorder/standingorder.ts'
import { askedOf } from '../../../domain/wallet/transfer/movement.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { process, step } from '../process.ts'

export const standingOrderProcess = process({
  name: 'standing-order',
  of: { standingorder: events },
  on: {
    StandingOrderOpened: null,
    StandingOrderFired({ data, metadata: { id } }) {
      const { due: _, next: __, transfer: name, ...movement } = data
      return [
        step(transfer, 'request', name, askedOf(movement), ({ code, message }) =>
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
