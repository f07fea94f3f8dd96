/** The gRPC statuses of what goes wrong inside the store. */
import { Status } from '../../../wire/grpc.ts'
import { DamagedBlock } from '../log/block.ts'
import { GrpcError } from '../wire/grpc-error.ts'

/** Damage ends a read with a status of its own; other errors are as they are. */
export function readFailure(error: unknown): unknown {
  return error instanceof DamagedBlock ? new GrpcError(Status.dataLoss, error.message) : error
}

/** Nothing of the write is stored. */
export function writeFailure(error: Error | undefined): GrpcError {
  const status = error instanceof DamagedBlock ? Status.dataLoss : Status.unavailable
  return new GrpcError(status, `The event could not be stored: ${error?.message ?? 'no reason given'}`)
}
