/** Errors that end a call with a gRPC status. */
import { Status } from '../../../wire/grpc.ts'

/** A status other than OK; from the `trailers` the clients know which of their error classes it is. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly status: number
  readonly trailers: Readonly<Record<string, string>>

  constructor(status: number, message: string, trailers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.trailers = trailers
  }
}

/** The request breaks a rule of the protocol; the message says which. */
export const invalid = (message: string): GrpcError => new GrpcError(Status.invalidArgument, message)
