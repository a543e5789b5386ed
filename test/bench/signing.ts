/**
 * The cost of a crew with roles: the parts of a signature by themselves, and steers of an operator in a crew with roles and in one
 * without, in turns, against the same server. `npm run bench:signing`; COX_BENCH_STEERS (default 200). Fails nothing.
 */
import type { CrewSession } from '../../actors/node/join.ts';
import { TaskSpec } from '../../bus/messages.ts';
import { newSigner } from '../../bus/team/nkeys.ts';
import { isSealOf, sealed } from '../../bus/team/seal.ts';
import { fits, signatureHeaders } from '../../bus/team/signature.ts';
import { testCrew } from '../support/crew.ts';
import type { ModelServer } from '../support/model-server.ts';
import { TeamCrew } from '../support/team-crew.ts';
import { never } from '../support/watching.ts';

const steers = Number(process.env.COX_BENCH_STEERS ?? 200);
const rounds = 2_000;

function each(act: () => unknown): string {
  const times = Array.from({ length: rounds }, () => {
    const from = performance.now();
    act();
    return (performance.now() - from) * 1_000;
  });
  return `${percentile(
    times.toSorted((a, b) => a - b),
    0.5,
  )} µs`;
}

const percentile = (sorted: readonly number[], p: number) => sorted[Math.floor(sorted.length * p)]!.toFixed(0).padStart(6);

const signer = newSigner('user');
const now = new Date();
const message = { subject: 'cox.tasks.k3xq.0.steering', msgId: 'k3xq.0:s1', body: JSON.stringify({ type: 'steer', text: 'y' }) };
const [, [, time], [, signature]] = signatureHeaders(message, signer, now) as [
  [string, string],
  [string, string],
  [string, string],
];
const long = { ...message, body: 'x'.repeat(32_768) };
const spec = TaskSpec.parse({ type: 'reasoning', instruction: 'x' });
const order = { namespace: 'cox', id: 'k3xq.1', spec };
const fed = { ...order, spec: { ...spec, context: [{ title: 'a', text: 'x'.repeat(100_000) }] } };
const [seal, fedSeal] = [sealed(order, signer, now), sealed(fed, signer, now)];
console.log(`sign a steer            ${each(() => signatureHeaders(message, signer, now))}`);
console.log(`sign one of 32 kB       ${each(() => signatureHeaders(long, signer, now))}`);
console.log(`verify a steer          ${each(() => fits(message, { key: signer.key, time, signature }))}`);
console.log(`seal an order           ${each(() => sealed(order, signer, now))}`);
console.log(`verify its seal         ${each(() => isSealOf(order, seal))}`);
console.log(`seal an order of 100 kB ${each(() => sealed(fed, signer, now))}`);
console.log(`verify its seal         ${each(() => isSealOf(fed, fedSeal))}`);

interface Steered {
  readonly operator: CrewSession;
  readonly model: ModelServer;
  readonly id: string;
  readonly times: number[];
}

/** Steers a task whose model call is in flight; the time until the operator has the final receipt. */
async function steer({ operator, model, id, times }: Steered): Promise<void> {
  const from = performance.now();
  const sent = await operator.crew.steer(id, { type: 'steer', text: `correction ${times.length}` });
  const told = (async () => {
    for await (const { fate } of operator.crew.receipts(id, sent, never)) if (fate === 'applied') return;
  })();
  await model.next();
  await told;
  times.push((performance.now() - from) * 1_000);
}

async function begun(operator: CrewSession, model: ModelServer): Promise<Steered> {
  const id = await operator.crew.dispatch({ type: 'reasoning', instruction: 'x', limits: { steps: 10_000 } });
  await model.next();
  return { operator, model, id, times: [] };
}

const plain = await testCrew();
await plain.node(await plain.join());
const team = await TeamCrew.start({ node: ['supervisor', 'worker'], both: ['operator', 'worker'], ann: ['operator'] });
await team.node(await team.join('node'));
const kinds = {
  'without roles': await begun(await plain.join(), plain.model),
  'with roles, the operator reads the streams': await begun(await team.join('both'), team.model),
  'with roles, the operator asks the nodes': await begun(await team.join('ann'), team.model),
};
for (let i = 0; i < steers; i++) for (const kind of Object.values(kinds)) await steer(kind);
for (const [name, { times }] of Object.entries(kinds)) {
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    `steer to final receipt, ${name.padEnd(43)} p50 ${percentile(sorted, 0.5)} µs   p99 ${percentile(sorted, 0.99)} µs`,
  );
}
for (const { operator, id } of Object.values(kinds)) await operator.crew.steer(id, { type: 'cancel' });
await plain.stop();
await team.stop();
