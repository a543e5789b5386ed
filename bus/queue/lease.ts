/**
 * A lease is the time for which a claimed ticket stays with a worker that does not renew it. After that the server delivers the
 * ticket to another worker. nats-server keeps the lease as `ack_wait` of the ticket consumer. All intervals that depend on the
 * length of a lease are derived here. Rules `lease`, `epoch-check` and `in-doubt` (docs/task-protocol.md).
 */

/** Length of a lease in ms. */
export const defaultLeaseMs = 10_000;

/**
 * A worker renews a lease three times while it lasts, so that one renewal may be lost and the next one may be late before the
 * server takes the worker for dead.
 */
const renewalsPerLease = 3;
/** Interval between two renewals, in ms. */
export const renewalMs = (leaseMs: number): number => leaseMs / renewalsPerLease;

/**
 * For this part of a lease after a commit nobody else can have claimed the task. The commit shows that the task was ours then,
 * and the last renewal before it is at most 1/3 of a lease old; so the lease lasts for at least 2/3 after the commit. 1/2 leaves
 * a margin for late timers.
 */
const sureAfterCommit = 1 / 2;
/** For how long after a commit an effect may start without a look at the record, in ms. */
export const sureMs = (leaseMs: number): number => leaseMs * sureAfterCommit;

/**
 * A worker whose task went to another may still be running a call. A worker that was cut off notices it within one lease
 * (bus/connection.ts), and the second lease is for the call to end. A frozen process may thaw at any time, so the clock alone
 * does not decide: the operator is asked.
 */
const leasesInDoubt = 2;
/** For how long "run it again" is refused after a task was taken from a worker, in ms. */
export const doubtMs = (leaseMs: number): number => leaseMs * leasesInDoubt;
