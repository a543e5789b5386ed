/**
 * Named points at which a process can be told to die, to try out what a crash just there does. Inert unless COX_CRASH_AT names one:
 * `<point>#<nth time>`, as in `state:after#3`. The process ends as by `kill -9`: nothing is flushed, nobody says goodbye.
 * Points: before and after each bus write (`state`, `status`, `result`, `steering`, `pending`, `wake`, `set`, `letter`, `purge`), each ack of a ticket, of
 * what the waker has seen and of a timer (`ack`, `waker-ack`, `timer-ack`), and each `tool` call.
 * COX_CRASH_LOG names a file to which every point that is passed is appended, so that a matrix knows its points.
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
