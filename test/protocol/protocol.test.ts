/** Explores the model of the task protocol exhaustively, and takes out every rule once to show what it is for. */
import { afterAll, describe, expect, it } from 'vitest';
import { ablations } from './ablation.ts';
import { explore } from './explore.ts';
import { protocol } from './protocol.ts';
import { type Rule, rules, without } from './rules.ts';
import { largeScenes, scenes } from './scenes.ts';
import type { Scene } from './world.ts';

/** `npm run test:protocol`: takes minutes and gigabytes instead of seconds. */
const isLarge = process.env.COX_PROTOCOL === 'large';
const maxStates = isLarge ? 5_000_000 : 1_500_000;
const timeoutMs = 900_000;

let states = 0;
const needed: Rule[] = [];
const counterexamples: string[] = [];

function run(scene: Scene, off: readonly Rule[] = []) {
  const exploration = explore(protocol(scene, without(...off)), maxStates);
  states += exploration.states;
  return exploration.violation;
}

describe('the protocol keeps its promises', () => {
  for (const scene of Object.values({ ...scenes, ...(isLarge && largeScenes) }))
    it(`with ${scene.name}`, { timeout: timeoutMs }, () => {
      expect(run(scene)).toBeNull();
    });
});

describe('without the rule', () => {
  for (const rule of Object.keys(rules) as Rule[]) {
    const ablation = ablations[rule];
    const { scene } = ablation;
    const title = 'breaks' in ablation ? `this fails: ${ablation.breaks}` : `nothing fails, but ${ablation.keptBecause}`;
    it(`"${rules[rule]}" ${title}`, { timeout: timeoutMs }, () => {
      const violation = run({ ...scenes, ...largeScenes }[scene], [rule]);
      if (!('breaks' in ablation)) {
        expect(violation).toBeNull();
        return;
      }
      expect(violation?.property).toContain(ablation.breaks);
      counterexamples.push(`${rule}: ${violation!.property} (${scene}, ${violation!.trace.length} steps)`);
      needed.push(rule);
    });
  }
});

afterAll(() => {
  const kept = Object.values(ablations).filter((ablation) => 'keptBecause' in ablation).length;
  const all = Object.keys(rules).length;
  const verdict = needed.length + kept === all ? 'each needed' : `${needed.length} seen to be needed`;
  console.log(
    [
      ...counterexamples,
      `protocol: ${states} states explored, ${all - kept} rules, ${verdict}; ${kept} more only to save time`,
    ].join('\n'),
  );
});
