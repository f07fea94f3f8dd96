/** The tables and the channel in PostgreSQL by which projectors share their work; migrations make the tables. */

/** A view: where each projection stands in each bucket, whichever row keeps its checkpoint. */
export const CHECKPOINTS = 'checkpoints'

/** One row for each projection, version and bucket. It keeps the checkpoint itself where `shared` is null. */
export const OWN_CHECKPOINTS = 'projection_checkpoints'

/** One row for several projections that stand at the same position in a bucket and are worked on by one projector. */
export const SHARED_CHECKPOINTS = 'shared_checkpoints'

/** Which projector works on which projection in which bucket. */
export const LEASES = 'projection_leases'

/** The projectors, what each of them runs, and until when it counts as alive. */
export const PROJECTORS = 'projectors'

/** The channel on which every batch is announced; the payload is the position that it reached. */
export const CHECKPOINT_CHANNEL = 'kogi_checkpoints'
