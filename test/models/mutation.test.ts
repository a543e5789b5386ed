/** Whether the contracts notice errors: charts with one small error each, judged like the real ones. */
import { expect, it } from 'vitest';
import { subAgent } from '../../machines/sub-agent.ts';
import { supervisor } from '../../machines/supervisor.ts';
import { judge } from './judge.ts';
import { mutantsOf, score } from './mutants.ts';
import { report } from './report.ts';
import { equivalents as subAgentEquivalents } from './sub-agent/equivalents.ts';
import { paths as subAgentPaths } from './sub-agent/explore.ts';
import { model as subAgentModel } from './sub-agent/model.ts';
import { seeded as subAgentSeeded } from './sub-agent/seeded.ts';
import { equivalents as supervisorEquivalents } from './supervisor/equivalents.ts';
import { asking, others, paths as supervisorPaths } from './supervisor/explore.ts';
import { model as supervisorModel } from './supervisor/model.ts';
import { seeded as supervisorSeeded } from './supervisor/seeded.ts';

/** The same in every run: a score must not depend on luck. */
const seed = 7;
const byLength = <Path extends readonly unknown[]>(paths: Path[]) => paths.sort((a, b) => a.length - b.length);

it('the contract of the sub-agent notices errors in its chart', { timeout: 1_800_000 }, () => {
  const paths = byLength(subAgentPaths('small'));
  const judged = score([...mutantsOf(subAgent), ...subAgentSeeded], subAgentEquivalents, (machine) =>
    judge([{ model: subAgentModel(machine), paths }], { runs: 2_000, seed }),
  );
  report('sub-agent', judged);
  expect(judged.killed / judged.total).toBeGreaterThan(0.99);
});

it('the contract of the supervisor notices errors in its chart', { timeout: 1_800_000 }, () => {
  const sets = [asking, ...others].map((policy) => ({ policy, paths: byLength(supervisorPaths('tiny', policy)) }));
  const judged = score([...mutantsOf(supervisor), ...supervisorSeeded], supervisorEquivalents, (machine) => {
    const cases = sets.map(({ policy, paths }) => ({ model: supervisorModel(machine, policy), paths }));
    return judge(cases, { runs: 600, seed });
  });
  report('supervisor', judged);
  expect(judged.killed / judged.total).toBeGreaterThan(0.985);
});
