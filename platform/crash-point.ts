/**
 * Named points at which tests can kill the process, to see the effect of a crash there. They do nothing unless COX_CRASH_AT names
 * one: `<point>#<nth time>`, as in `state:after#3`. The process then ends as by `kill -9`: nothing is flushed and no connection
 * is closed. Points are before and after each bus write (`state`, `status`, `result`, `steering`, `pending`, `wake`, `set`,
 * `letter`, `artifact`, `purge`), each ack of a ticket (`ack`), of a message that the waker read (`waker-ack`) and of a timer
 * (`timer-ack`), and each `tool` call. If COX_CRASH_LOG names a file, each point that is reached is appended to it, so that a
 * test matrix can list its points.
 */
import { appendFileSync } from 'node:fs';

const { COX_CRASH_AT: wanted, COX_CRASH_LOG: log } = process.env;
const passed = new Map<string, number>();

export const crashPoint: (point: string) => void =
  wanted === undefined && log === undefined
    ? () => {}
    : (point) => {
        const nth = (passed.get(point) ?? 0) + 1;
        passed.set(point, nth);
        if (log !== undefined) appendFileSync(log, `${point}#${nth}\n`);
        if (`${point}#${nth}` === wanted) process.kill(process.pid, 'SIGKILL');
      };
